namespace ReplicatedSqlite.Journal;

/// <summary>How a page record holds its page.</summary>
public enum PageKind
{
    /// <summary>The whole page.</summary>
    Whole = 1,

    /// <summary>What changed since the page's previous version.</summary>
    Patch = 2,

    /// <summary>The whole page without its zeros.</summary>
    Sparse = 3,
}
