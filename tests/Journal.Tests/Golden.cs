using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal.Tests;

/// <summary>Entries whose bytes are written down.</summary>
internal static class Golden
{
    public static DatabaseId Database { get; } = new(new Guid("00112233-4455-6677-8899-aabbccddeeff"));

    /// <summary>Epoch 1 at sequence 1, with a follower set of three bytes.</summary>
    public static Entry EpochEntry() => Journal.EpochEntry.Create(Header(Position.Start, 1, EntryFlags.EpochEntry), EpochTable.Empty, [7, 8, 9]);

    /// <summary>One page of 512 bytes behind it.</summary>
    public static Entry PageEntry(int pages = 1)
    {
        var builder = new EntryBuilder(Header(EpochEntry().End, 2, EntryFlags.None), pages);
        for (uint page = 1; page <= pages; page++)
        {
            var data = builder.AddPage(page + 2);
            data.Clear();
            data[0] = 0xAB;
            data[^1] = 0xCD;
        }

        return builder.Build();
    }

    /// <summary>A patch of page 3 and a sparse page behind it, of 300 pages.</summary>
    public static Entry PatchEntry()
    {
        var builder = new EntryBuilder(Header(EpochEntry().End, 2, EntryFlags.None) with { DatabaseSizePages = 300 }, 2);
        var before = new byte[512];
        before[7] = 7;
        var after = new byte[512];
        (after[0], after[1], after[5], after[6], after[7], after[8]) = (0xF1, 0xF2, 0xF3, 1, 2, 4);
        builder.AddPatch(3, before, Crc32C.Of(before), after, Crc32C.Of(after));
        var sparse = new byte[512];
        sparse[256] = 0xF5;
        builder.AddPage(4, sparse);
        return builder.Build();
    }

    private static EntryHeader Header(Position predecessor, int writes, EntryFlags flags) => new()
    {
        Flags = flags,
        Database = Database,
        Epoch = 1,
        FirstSequence = predecessor.Sequence + 1,
        LastSequence = predecessor.Sequence + (ulong)writes,
        Predecessor = predecessor,
        PageSizeBytes = 512,
        DatabaseSizePages = 5,
        CommitTimeMicroseconds = 0x0102030405060708,
    };
}
