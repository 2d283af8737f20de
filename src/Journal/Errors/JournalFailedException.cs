namespace ReplicatedSqlite.Journal;

/// <summary>A write or a sync failed, and what is on the disk is not known any more. It is never retried: the journal must be opened again, as after a crash.</summary>
public sealed class JournalFailedException(string what, Exception? cause = null) : JournalException(
    $"The journal stopped: {what}. Nothing more is acknowledged; open it again to go on.", cause);
