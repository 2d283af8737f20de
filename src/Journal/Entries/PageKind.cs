namespace ReplicatedSqlite.Journal;

/// <summary>How a page record holds its page.</summary>
public enum PageKind
{
    /// <summary>The whole page.</summary>
    Whole = 1,
}
