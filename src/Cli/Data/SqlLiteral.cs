using System.Globalization;
using System.Text;

namespace ReplicatedSqlite.Cli;

/// <summary>Values as SQL that makes them again, bit by bit.</summary>
internal static class SqlLiteral
{
    public static string Of(Row row, int column) => row.Kind(column) switch
    {
        SqlKind.Integer => row.GetInt64(column) is var integer and not long.MinValue ? integer.ToString(CultureInfo.InvariantCulture) : "(-9223372036854775807-1)",
        SqlKind.Real => Of(row.GetDouble(column)),
        SqlKind.Text when !row.GetString(column).Contains('\0', StringComparison.Ordinal) => $"'{row.GetString(column).Replace("'", "''", StringComparison.Ordinal)}'",
        SqlKind.Text => $"CAST(X'{Convert.ToHexString(Encoding.UTF8.GetBytes(row.GetString(column)))}' AS TEXT)", // a NUL would end the literal
        SqlKind.InvalidText => $"CAST(X'{Convert.ToHexString(row.GetBytes(column).Span)}' AS TEXT)",
        SqlKind.Blob => $"X'{Convert.ToHexString(row.GetBytes(column).Span)}'",
        _ => "NULL",
    };

    public static string Name(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string Of(double value)
    {
        if (double.IsInfinity(value)) return value > 0 ? "9e999" : "-9e999";
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().ContainsAny('.', 'E', 'e') ? text : text + ".0"; // else it would come back as an integer
    }
}
