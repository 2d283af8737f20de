using System.Diagnostics.CodeAnalysis;

namespace ReplicatedSqlite;

/// <summary>How a parameter's value is stored, numbered as Microsoft.Data.Sqlite's <c>SqliteType</c>.</summary>
[SuppressMessage("Naming", "CA1720", Justification = "SQLite's own words for its storage classes.")]
[SuppressMessage("Design", "CA1008", Justification = "SQLite numbers from one; there is no type 'none'.")]
public enum ReplicatedSqliteType
{
    /// <summary>A 64-bit integer.</summary>
    Integer = 1,

    /// <summary>A floating-point number.</summary>
    Real = 2,

    /// <summary>Text.</summary>
    Text = 3,

    /// <summary>Bytes.</summary>
    Blob = 4,
}
