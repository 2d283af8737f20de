namespace ReplicatedSqlite.Journal;

/// <summary>Something the journal refuses or cannot do.</summary>
public abstract class JournalException : Exception
{
    private protected JournalException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
