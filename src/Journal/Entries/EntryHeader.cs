using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>What an entry says about itself, without its pages and extension.</summary>
/// <remarks>The byte table is in docs/formats.md. A builder takes one of these and adds counts, lengths and the chain hash.</remarks>
public readonly record struct EntryHeader
{
    /// <summary>What kind of entry this is.</summary>
    public EntryFlags Flags { get; init; }

    /// <summary>Whose log this belongs to.</summary>
    public required DatabaseId Database { get; init; }

    /// <summary>The leadership that wrote it; at least 1.</summary>
    public required uint Epoch { get; init; }

    /// <summary>The first write's number; one more than the predecessor's last.</summary>
    public required ulong FirstSequence { get; init; }

    /// <summary>The last write's number.</summary>
    public required ulong LastSequence { get; init; }

    /// <summary>The end of the entry before; <see cref="Position.Start"/> for the first of all.</summary>
    public required Position Predecessor { get; init; }

    /// <summary>A power of two from 512 to 65536.</summary>
    public required int PageSizeBytes { get; init; }

    /// <summary>The database's size once this entry is applied.</summary>
    public required uint DatabaseSizePages { get; init; }

    /// <summary>Microseconds since 1970-01-01 UTC; the writer never lets it fall below the predecessor's.</summary>
    public required long CommitTimeMicroseconds { get; init; }

    /// <summary>Opens an epoch.</summary>
    public bool IsEpochEntry => (Flags & EntryFlags.EpochEntry) != 0;

    /// <summary>Deletes the database.</summary>
    public bool IsTombstone => (Flags & EntryFlags.Tombstone) != 0;

    /// <summary>What is wrong with these values, or <see langword="null"/>.</summary>
    internal string? FindFault()
    {
        if ((Flags & ~(EntryFlags.EpochEntry | EntryFlags.Tombstone)) != 0)
        {
            return $"flags {Flags} were found; this build knows EpochEntry and Tombstone";
        }

        if (Flags == EntryFlags.Tombstone)
        {
            return "a tombstone was found that is not an epoch entry";
        }

        if (IsEpochEntry ? Epoch <= Predecessor.Epoch : Epoch != Predecessor.Epoch)
        {
            return IsEpochEntry
                ? $"an epoch entry has epoch {Epoch}; above the predecessor's {Predecessor.Epoch} was wanted"
                : $"epoch {Epoch} was found after {Predecessor.Epoch}; only an epoch entry may open an epoch";
        }

        if (Epoch == 0 || Predecessor.Sequence == ulong.MaxValue || FirstSequence != Predecessor.Sequence + 1 || LastSequence < FirstSequence)
        {
            return $"epoch {Epoch} and sequences {FirstSequence} to {LastSequence} were found after sequence {Predecessor.Sequence}; "
                + "epoch 1 or more, and sequences that go on by one, were wanted";
        }

        if ((Predecessor.Epoch == 0 || Predecessor.Sequence == 0) && Predecessor != Position.Start)
        {
            return $"predecessor {Predecessor} was found; the start of the log ({Position.Start}) or a whole position was wanted";
        }

        if (IsEpochEntry && LastSequence != FirstSequence)
        {
            return $"an epoch entry takes one sequence; {FirstSequence} to {LastSequence} were found";
        }

        return EntryLimits.IsPageSize(PageSizeBytes) ? null : $"page size {PageSizeBytes} was found; a power of two from 512 to 65536 was wanted";
    }
}
