namespace ReplicatedSqlite.Journal;

/// <summary>How a journal is laid out and how much it takes at once.</summary>
public sealed record JournalOptions
{
    internal const int MinFileSizeBytes = 64 << 10;
    internal const int MaxFileSizeBytes = 1 << 30;

    /// <summary>Size of each preallocated file: from 64 KiB to 1 GiB. Default 64 MiB.</summary>
    public int FileSizeBytes { get; init; } = 64 << 20;

    /// <summary>Entries that may wait; behind this a caller waits. Default 16,384.</summary>
    public int QueueEntries { get; init; } = 16_384;

    /// <summary>Bytes that may wait; behind this a caller waits. Default 64 MiB.</summary>
    public long QueueBytes { get; init; } = 64 << 20;

    /// <summary>Bytes of one write and sync, unless a single entry is larger. Default 8 MiB.</summary>
    public int GroupBytes { get; init; } = 8 << 20;

    /// <summary>Records of one write and sync. Default 4,096.</summary>
    public int GroupRecords { get; init; } = 4_096;

    /// <summary>A thread of the journal's own writes. Off, <see cref="NodeJournal.Flush"/> writes on the caller's thread: for simulations.</summary>
    public bool OwnThread { get; init; } = true;

    internal void Validate()
    {
        if (FileSizeBytes is < MinFileSizeBytes or > MaxFileSizeBytes)
        {
            throw new ArgumentOutOfRangeException(nameof(FileSizeBytes), FileSizeBytes, $"A journal file has from {MinFileSizeBytes} to {MaxFileSizeBytes} bytes.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(QueueEntries, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(QueueBytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(GroupBytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(GroupRecords, 1);
    }
}
