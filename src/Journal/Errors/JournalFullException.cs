namespace ReplicatedSqlite.Journal;

/// <summary>There is no room for the next journal file. Nothing was written; appending works again once there is room.</summary>
public sealed class JournalFullException(string folder, long neededBytes, Exception? cause = null) : JournalException(
    $"There is no room for the next journal file in {folder}: {neededBytes} bytes are needed. Make room, or move databases away; nothing was written.", cause)
{
    /// <summary>How much must be free.</summary>
    public long NeededBytes => neededBytes;
}
