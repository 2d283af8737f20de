namespace ReplicatedSqlite;

/// <summary>What declared types and storage classes are in .NET.</summary>
internal static class ColumnTypes
{
    public static string WithoutArguments(string declared)
    {
        var open = declared.IndexOf('(', StringComparison.Ordinal);
        return open < 0 ? declared : declared[..open].TrimEnd();
    }

    public static string NameOf(SqlKind kind) => kind switch
    {
        SqlKind.Integer => "INTEGER",
        SqlKind.Real => "REAL",
        SqlKind.Text => "TEXT",
        _ => "BLOB",
    };

    public static Type TypeOf(SqlKind kind) => kind switch
    {
        SqlKind.Integer => typeof(long),
        SqlKind.Real => typeof(double),
        SqlKind.Text => typeof(string),
        _ => typeof(byte[]),
    };

    /// <summary>By SQLite's rules of affinity; a numeric one is taken for text, as decimals and dates are written, like Microsoft.Data.Sqlite does.</summary>
    public static Type TypeOf(string declared) =>
        declared.Contains("INT", StringComparison.OrdinalIgnoreCase) ? typeof(long)
        : HasAny(declared, "CHAR", "CLOB", "TEXT") ? typeof(string)
        : declared.Length == 0 || HasAny(declared, "BLOB") ? typeof(byte[])
        : HasAny(declared, "REAL", "FLOA", "DOUB") ? typeof(double)
        : typeof(string);

    private static bool HasAny(string declared, params ReadOnlySpan<string> parts)
    {
        foreach (var part in parts)
        {
            if (declared.Contains(part, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }
}
