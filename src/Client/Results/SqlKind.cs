using System.Diagnostics.CodeAnalysis;

namespace ReplicatedSqlite;

/// <summary>The kind of one value, numbered as in <c>ColumnData.types</c>.</summary>
[SuppressMessage("Naming", "CA1720", Justification = "SQLite's own words for its storage classes.")]
public enum SqlKind
{
    /// <summary>NULL.</summary>
    Null = 0,

    /// <summary>A 64-bit integer.</summary>
    Integer = 1,

    /// <summary>A floating-point number.</summary>
    Real = 2,

    /// <summary>Text.</summary>
    Text = 3,

    /// <summary>Bytes.</summary>
    Blob = 4,

    /// <summary>Text that is not valid UTF-8: given as its bytes.</summary>
    InvalidText = 5,
}
