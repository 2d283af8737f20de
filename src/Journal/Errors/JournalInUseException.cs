namespace ReplicatedSqlite.Journal;

/// <summary>Another process has the journal open.</summary>
public sealed class JournalInUseException(string folder, Exception cause) : JournalException(
    $"The journal in {folder} is open in another process. Stop that one, or give this node a folder of its own.", cause);
