using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>A run of one database's entries in one file. The index keeps runs, not entries; inside a run the records' links lead back from the last.</summary>
internal readonly record struct LogSegment(JournalFile File, int FirstOffset, int LastOffset, Position Predecessor, Position End, int Count, long Bytes)
{
    private const int MaxCount = 32;
    private const long MaxBytes = 64 << 10;

    /// <summary>Whether the entry that links back to <paramref name="previous"/> can join this run.</summary>
    public bool CanGrow(JournalFile file, int previous) => File == file && previous == LastOffset && Count < MaxCount && Bytes < MaxBytes;
}
