using System.Globalization;
using System.Text;

namespace ReplicatedSqlite.Cli;

/// <summary>Values as the sqlite3 shell writes them: NULL as nothing, reals with 15 digits. Blobs, which it writes raw, are written as SQL: <c>X'0A'</c>.</summary>
internal static class CellText
{
    public static string Of(Row row, int column) => row.Kind(column) switch
    {
        SqlKind.Integer => row.GetInt64(column).ToString(CultureInfo.InvariantCulture),
        SqlKind.Real => Of(row.GetDouble(column)),
        SqlKind.Text => row.GetString(column),
        SqlKind.Blob => $"X'{Convert.ToHexString(row.GetBytes(column).Span)}'",
        SqlKind.InvalidText => Encoding.UTF8.GetString(row.GetBytes(column).Span), // with U+FFFD for what is no text
        _ => "",
    };

    /// <summary>A real as SQLite's <c>%!.15g</c> writes it.</summary>
    public static string Of(double value)
    {
        if (double.IsInfinity(value)) return value > 0 ? "Inf" : "-Inf";
        if (double.IsNaN(value)) return "";
        if (value == 0) return "0.0";
        var text = value.ToString("E14", CultureInfo.InvariantCulture); // d.dddddddddddddde+ddd
        var exponentAt = text.IndexOf('E', StringComparison.Ordinal);
        var exponent = int.Parse(text.AsSpan(exponentAt + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var sign = text[0] == '-' ? "-" : "";
        var digits = text[sign.Length..exponentAt].Replace(".", "", StringComparison.Ordinal).TrimEnd('0');
        if (exponent is < -4 or >= 15)
            return $"{sign}{digits[0]}.{(digits.Length > 1 ? digits[1..] : "0")}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        if (exponent < 0) return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        return digits.Length <= exponent + 1
            ? $"{sign}{digits.PadRight(exponent + 1, '0')}.0"
            : $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    /// <summary>Control characters as <c>^X</c>: what is stored must not steer the terminal. Line ends and tabs stay.</summary>
    public static string ForTerminal(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\0', '\x1f') && !text.Contains('\x7f', StringComparison.Ordinal)) return text;
        var safe = new StringBuilder(text.Length + 8);
        foreach (var c in text)
        {
            if (c is '\n' or '\t' || (c >= ' ' && c != '\x7f')) safe.Append(c);
            else if (c != '\r') safe.Append('^').Append((char)(c ^ 0x40));
        }

        return safe.ToString();
    }
}
