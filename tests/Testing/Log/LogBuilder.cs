using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Testing;

/// <summary>Builds a valid log of one database, entry by entry.</summary>
public sealed class LogBuilder(DatabaseId database, int pageSizeBytes = 512)
{
    private long _commitTimeMicroseconds = 1_700_000_000_000_000;

    /// <summary>The end of the last entry.</summary>
    public Position End { get; private set; }

    /// <summary>The epochs so far.</summary>
    public EpochTable Epochs { get; private set; } = EpochTable.Empty;

    /// <summary>Whose log this is.</summary>
    public DatabaseId Database => database;

    /// <summary>Appends an epoch entry.</summary>
    public Entry OpenEpoch(uint epoch, EntryFlags more = EntryFlags.None, ReadOnlySpan<byte> followerSets = default)
    {
        var entry = EpochEntry.Create(Header(epoch, writes: 1) with { Flags = EntryFlags.EpochEntry | more }, Epochs, followerSets);
        Epochs = entry.EpochTable!;
        End = entry.End;
        return entry;
    }

    /// <summary>Writes a page's bytes.</summary>
    public delegate void FillPage(Span<byte> page);

    /// <summary>Appends an entry with pages 1 to <paramref name="pages"/>, every byte set to <paramref name="fill"/>, or as <paramref name="fillPage"/> says.</summary>
    public Entry Append(byte fill = 1, int pages = 1, int writes = 1, FillPage? fillPage = null)
    {
        var builder = new EntryBuilder(Header(End.Epoch, writes), pages);
        for (uint page = 1; page <= pages; page++)
        {
            var bytes = builder.AddPage(page);
            bytes.Fill(fill);
            fillPage?.Invoke(bytes);
        }

        var entry = builder.Build();
        End = entry.End;
        return entry;
    }

    /// <summary>Goes back to an earlier end, to build what replaces the entries behind it.</summary>
    public LogBuilder CutTo(Position end)
    {
        End = end;
        while (!Epochs.Ranges.IsEmpty && Epochs.Ranges[^1].FirstSequence > end.Sequence)
        {
            var kept = Epochs.Ranges.RemoveAt(Epochs.Ranges.Length - 1);
            Epochs = kept.IsEmpty
                ? EpochTable.Empty
                : EpochTable.Create(kept.SetItem(kept.Length - 1, kept[^1] with { LastSequence = EpochRange.OpenEnd, HashAtEnd = ChainHash.Zero }));
        }

        return this;
    }

    /// <summary>Goes to any end, with the epochs up to it.</summary>
    public LogBuilder GoTo(Position end, EpochTable epochs)
    {
        (End, Epochs) = (end, epochs);
        return this;
    }

    private EntryHeader Header(uint epoch, int writes) => new()
    {
        Database = database,
        Epoch = epoch,
        FirstSequence = End.Sequence + 1,
        LastSequence = End.Sequence + (ulong)writes,
        Predecessor = End,
        PageSizeBytes = pageSizeBytes,
        DatabaseSizePages = 1000,
        CommitTimeMicroseconds = ++_commitTimeMicroseconds,
    };
}
