using System.Buffers.Binary;
using System.Security.Cryptography;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.ColdStorage.Tests;

/// <summary>The tables of docs/formats.md, "Cold storage", written down field by field.</summary>
public sealed class GoldenBytesTests
{
    private const string Id = "00112233445566778899AABBCCDDEEFF";

    private static readonly DatabaseId _database = new(new Guid("00112233-4455-6677-8899-aabbccddeeff"));

    [Fact]
    public void A_segment_has_the_bytes_of_the_table()
    {
        var (first, second) = Entries();
        var segment = SegmentBuilder.Build([first, second], first.EpochTable!, compress: false);
        var bytes = segment.Parts.SelectMany(static part => part.ToArray()).ToArray();
        var entries = Hex(first.Encoded.Span) + Hex(second.Encoded.Span);
        var pages = "09 AB" + new string('0', 1020) + "CD"; // page 3, whole
        var index = "01000000 00000000 0100000000000000 0807060504030201 0000000000000000";
        var epochs = "01000000 01000000 0100000000000000 FFFFFFFFFFFFFFFF" + Zeros(16);
        var hasPages = Bytes(pages).Length <= Bytes(entries).Length * 3 / 4;
        var stored = new[] { entries, hasPages ? pages : "", index, epochs };
        var footer = Id
            + "00000000" + Zeros(8) + Zeros(16) // first
            + "01000000 0300000000000000" + Hex(second.Encoded.Span[39..55]) // last
            + "0807060504030201 0907060504030201" // commit times
            + "09 000000 05000000 05000000 02000000 " + (hasPages ? "01000000" : "00000000") // page size, size, least size, entries, pages
            + string.Concat(stored.Select(part => U64(Bytes(part).Length) + U64(Bytes(part).Length) + U32(Crc32C.Of(Bytes(part))) + "00000000"))
            + Zeros(40);
        var head = Hex("RSSEGMNT"u8) + "01" + Zeros(7);
        var expected = head + string.Concat(stored) + footer + U32(Crc32C.Of(Bytes(head + footer))) + Hex("RSSEGEND"u8);
        Assert.Equal(Hex(Bytes(expected)), Hex(bytes));
        Assert.Equal(
            $"00112233-4455-6677-8899-aabbccddeeff/log/00000001-0000000000000003-{Hex(second.Encoded.Span[39..55]).ToLowerInvariant()}-00000000-0000000000000000-{new string('0', 32)}.seg",
            segment.Name);
    }

    [Fact]
    public void A_snapshot_has_the_bytes_of_the_table()
    {
        var (first, second) = Entries();
        var hash = SHA256.HashData("pages"u8);
        var manifest = new SnapshotManifest
        {
            Database = _database,
            From = first.End,
            To = second.End,
            CommitTime = 0x0102030405060708,
            PageSizeBytes = 512,
            SizePages = 5,
            PagesPerChunk = 8,
            Epochs = first.EpochTable!,
            Chunks = [new ChunkReference([.. hash], 0x0102)],
        };
        var body = Hex("RSSNAPSH"u8) + "01 09" + Zeros(6) + Id
            + "01000000 0100000000000000" + Hex(first.Encoded.Span[39..55])
            + "01000000 0300000000000000" + Hex(second.Encoded.Span[39..55])
            + "0807060504030201 05000000 08000000 01000000 28000000" + Zeros(16)
            + Hex(hash) + "02010000 00000000"
            + "01000000 01000000 0100000000000000 FFFFFFFFFFFFFFFF" + Zeros(16);
        Assert.Equal(Hex(Bytes(body + U32(Crc32C.Of(Bytes(body))) + "00000000" + Hex("RSSNAPND"u8))), Hex(manifest.Write()));
        Assert.Null(SnapshotManifest.TryRead(manifest.Write(), out var read));
        Assert.Equal(manifest.Chunks[0].Sha256, read!.Chunks[0].Sha256);
        Assert.Equal((manifest.From, manifest.To, 5u, 8u), (read.From, read.To, read.SizePages, read.PagesPerChunk));
    }

    [Fact]
    public void A_chunk_and_a_head_have_the_bytes_of_the_table()
    {
        var pages = DatabaseFile.FirstPage(512);
        Assert.Equal(
            Hex("RSPAGECH"u8) + "01" + "00" + "0000" + "00020000" + Hex(pages),
            Hex(PageChunk.Write(pages, compress: false).SelectMany(static part => part.ToArray()).ToArray()));

        var (first, _) = Entries();
        var head = Hex("RSCOLDHD"u8) + "01" + Zeros(7) + Id + Hex(Bytes("01000000 0100000000000000")) + Hex(first.Encoded.Span[39..55]);
        Assert.Equal(head + U32(Crc32C.Of(Bytes(head))), Hex(HeadObject.Write(_database, first.End)));
    }

    [Fact]
    public void Other_versions_and_owners_are_refused_by_name()
    {
        var (first, second) = Entries();
        var segment = SegmentBuilder.Build([first, second], first.EpochTable!, compress: false);
        var bytes = segment.Parts.SelectMany(static part => part.ToArray()).ToArray();
        bytes[8] = 2;
        Assert.Contains("version 2", SegmentFooter.TryRead(bytes.AsSpan(0, 16), bytes.AsSpan(bytes.Length - 256), bytes.Length, out _), StringComparison.Ordinal);
        Assert.Contains("version", HeadObject.TryRead([.. HeadObject.Write(_database, first.End).Select(static (value, i) => i == 8 ? (byte)2 : value)], _database, out _), StringComparison.Ordinal);
    }

    private static (Entry First, Entry Second) Entries()
    {
        var first = EpochEntry.Create(Header(Position.Start, 1, EntryFlags.EpochEntry, 0x0102030405060708), EpochTable.Empty);
        var builder = new EntryBuilder(Header(first.End, 2, EntryFlags.None, 0x0102030405060709), 1);
        var page = builder.AddPage(3);
        page.Clear();
        (page[0], page[^1]) = (0xAB, 0xCD);
        return (first, builder.Build());
    }

    private static EntryHeader Header(Position predecessor, int writes, EntryFlags flags, long commitTime) => new()
    {
        Flags = flags,
        Database = _database,
        Epoch = 1,
        FirstSequence = predecessor.Sequence + 1,
        LastSequence = predecessor.Sequence + (ulong)writes,
        Predecessor = predecessor,
        PageSizeBytes = 512,
        DatabaseSizePages = 5,
        CommitTimeMicroseconds = commitTime,
    };

    private static string Zeros(int bytes) => new('0', 2 * bytes);

    private static string U32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return Hex(bytes);
    }

    private static string U64(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Hex(bytes);
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes);

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
