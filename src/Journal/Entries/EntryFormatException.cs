namespace ReplicatedSqlite.Journal;

/// <summary>Bytes that are not an entry this build can read. The text says what was found and what was wanted.</summary>
public sealed class EntryFormatException : FormatException
{
    /// <summary>A fault with its description.</summary>
    public EntryFormatException(string message)
        : base(message)
    {
    }
}
