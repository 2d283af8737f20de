using System.Buffers.Binary;
using System.Security.Cryptography;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal.Tests;

public sealed class EntryTests
{
    // Written down from docs/formats.md, field by field; the hash and the checksum are computed below by other means.
    private const string EpochEntryHeader =
        "01 00 0100 BF000000 00112233445566778899AABBCCDDEEFF 01000000 00000000 0100000000000000 0100000000000000 0000000000000000"
        + "00000000000000000000000000000000 00020000 05000000 0807060504030201 00000000 00000000 3B000000 00000000 0000000000000000";

    private const string EpochEntryExtension =
        "0100 0000 28000000 01000000 01000000 0100000000000000 FFFFFFFFFFFFFFFF 00000000000000000000000000000000"
        + "0200 0000 03000000 070809";

    [Fact]
    public void An_epoch_entry_has_the_bytes_of_the_table()
    {
        var bytes = Golden.EpochEntry().Encoded.Span;
        Assert.Equal(Bytes(EpochEntryHeader), bytes[..112].ToArray());
        Assert.Equal(Bytes(EpochEntryExtension), bytes[128..^4].ToArray());
        CheckHashAndChecksum(bytes, new byte[16]);
        Assert.Equal("5A993DA7FC4895BD414D48C2D65E46D5715FB5FF", Convert.ToHexString(bytes[112..128]) + Convert.ToHexString(bytes[^4..]));
    }

    [Fact]
    public void An_entry_with_a_page_has_the_bytes_of_the_table()
    {
        var bytes = Golden.PageEntry().Encoded.Span;
        var before = Convert.ToHexString(Golden.EpochEntry().Encoded.Span[112..128]);
        Assert.Equal(
            Bytes(
                "01 00 0000 8C020000 00112233445566778899AABBCCDDEEFF 01000000 01000000 0200000000000000 0300000000000000 0100000000000000"
                + before + "00020000 05000000 0807060504030201 01000000 00000000 00000000 08020000 0000000000000000"),
            bytes[..112].ToArray());
        Assert.Equal(Bytes("03000000 000200 01 AB" + new string('0', 1020) + "CD"), bytes[128..^4].ToArray());
        CheckHashAndChecksum(bytes, Bytes(before));
        Assert.Equal("BE035C8CAAF5EDAF94EE43361DF81C62DBE1F4E7", Convert.ToHexString(bytes[112..128]) + Convert.ToHexString(bytes[^4..]));
    }

    [Fact]
    public void What_was_encoded_is_decoded()
    {
        var epoch = Entry.Decode(Golden.EpochEntry().Encoded);
        Assert.Equal(Golden.EpochEntry().Header, epoch.Header);
        Assert.Equal(new Position(1, 1, epoch.End.Hash), epoch.End);
        Assert.Equal(new EpochRange(1, 1, EpochRange.OpenEnd, ChainHash.Zero), Assert.Single(epoch.EpochTable!.Ranges));
        Assert.True(epoch.TryGetExtension(ExtensionTag.FollowerSet, out var set));
        Assert.Equal<byte>([7, 8, 9], set.ToArray());

        var page = Entry.Decode(Golden.PageEntry(2).Encoded);
        Assert.Equal(epoch.End, page.Predecessor);
        Assert.Null(page.EpochTable);
        List<uint> numbers = [];
        foreach (var record in page.Pages)
        {
            numbers.Add(record.PageNumber);
            Assert.Equal((512, 0xAB, 0xCD), (record.Data.Length, record.Data.Span[0], record.Data.Span[^1]));
        }

        Assert.Equal<uint>([3, 4], numbers);
    }

    [Fact]
    public void Every_shorter_entry_is_refused_and_every_longer_one()
    {
        foreach (var entry in new[] { Golden.EpochEntry(), Golden.PageEntry() })
        {
            for (var length = 0; length < entry.Encoded.Length; length++)
            {
                CheckRefused(entry.Encoded[..length].ToArray(), $"{length} bytes");
            }

            CheckRefused([.. entry.Encoded.Span, 0], "one byte more");
        }
    }

    [Fact]
    public void Every_flipped_bit_is_refused()
    {
        foreach (var entry in new[] { Golden.EpochEntry(), Golden.PageEntry() })
        {
            var bytes = entry.Encoded.ToArray();
            for (var bit = 0; bit < bytes.Length * 8; bit++)
            {
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                CheckRefused(bytes, $"bit {bit}");
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }
    }

    // With the checksum put right, the rest must notice: someone else's encoder may be wrong, not only a disk.
    [Fact]
    public void Every_flipped_bit_is_refused_also_under_a_right_checksum()
    {
        foreach (var entry in new[] { Golden.EpochEntry(), Golden.PageEntry() })
        {
            for (var bit = 0; bit < (entry.Encoded.Length - 4) * 8; bit++)
            {
                var bytes = entry.Encoded.ToArray();
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4), Crc32C.Of(bytes.AsSpan(0, bytes.Length - 4)));
                CheckRefused(bytes, $"bit {bit}");
            }
        }
    }

    [Theory]
    [InlineData(0, 2, "entry version 2 was found; this build reads version 1")]
    [InlineData(1, 1, "reserved bytes")]
    [InlineData(2, 4, "entry flags 0x0004")]
    [InlineData(2, 2, "a tombstone was found that is not an epoch entry")]
    [InlineData(2, 1, "epoch entry")]
    [InlineData(24, 2, "only an epoch entry may open an epoch")]
    [InlineData(32, 7, "sequences 7 to 3")]
    [InlineData(48, 9, "after sequence 9")]
    [InlineData(73, 3, "page size 768")]
    [InlineData(76, 2, "page")]
    [InlineData(88, 2, "page")]
    [InlineData(92, 1, "part number 1")]
    [InlineData(96, 1, "do not add up")]
    [InlineData(104, 1, "reserved bytes")]
    [InlineData(128, 0, "page")]
    [InlineData(132, 1, "page")]
    [InlineData(135, 2, "page")]
    public void A_wrong_field_is_refused_by_name(int offset, byte value, string named)
    {
        var bytes = Golden.PageEntry().Encoded.ToArray();
        bytes[offset] = value;
        Close(bytes);
        Assert.False(Entry.TryDecode(bytes, out _, out var fault));
        Assert.Contains(named, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void An_entry_is_refused_whole_when_its_pages_are_not_ascending()
    {
        var bytes = Golden.PageEntry(2).Encoded.ToArray();
        bytes[128] = 4;
        Close(bytes);
        Assert.False(Entry.TryDecode(bytes, out _, out var fault));
        Assert.Contains("page", fault, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Builders_refuse_what_readers_would()
    {
        var header = Golden.PageEntry().Header;
        Assert.Throws<ArgumentException>(() => new EntryBuilder(header with { PageSizeBytes = 500 }, 1));
        Assert.Throws<ArgumentException>(() => new EntryBuilder(header with { Flags = EntryFlags.EpochEntry }, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new EntryBuilder(header, (EntryLimits.MaxPageDataBytes / 512) + 1));
        var builder = new EntryBuilder(header, 1);
        Assert.Throws<ArgumentException>(() => { builder.AddPage(6); }); // beyond the database
        Assert.Throws<ArgumentException>(() => { builder.AddPage(0); });
        Assert.Throws<InvalidOperationException>(() => builder.Build());
        builder.AddPage(1);
        Assert.Throws<InvalidOperationException>(() => { builder.AddPage(2); });
        builder.Build();
        Assert.Throws<InvalidOperationException>(() => builder.Build());
        var lockPage = EntryLimits.LockPage(512);
        var large = new EntryBuilder(header with { DatabaseSizePages = lockPage + 1 }, 1);
        Assert.Throws<ArgumentException>(() => { large.AddPage(lockPage); });
    }

    private static void Close(byte[] bytes)
    {
        var hash = SHA256.HashData([.. bytes.AsSpan(56, 16), .. bytes.AsSpan(0, 112), .. bytes.AsSpan(128, bytes.Length - 132)]);
        hash.AsSpan(0, 16).CopyTo(bytes.AsSpan(112));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4), Crc32C.Of(bytes.AsSpan(0, bytes.Length - 4)));
    }

    private static void CheckHashAndChecksum(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> previousHash)
    {
        var hash = SHA256.HashData([.. previousHash, .. bytes[..112], .. bytes[128..^4]]);
        Assert.Equal(hash.AsSpan(0, 16).ToArray(), bytes[112..128].ToArray());
        var state = uint.MaxValue;
        foreach (var value in bytes[..^4])
        {
            state ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                state = (state & 1) != 0 ? (state >> 1) ^ 0x82F63B78 : state >> 1; // Castagnoli, bit by bit
            }
        }

        Assert.Equal(~state, BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]));
    }

    private static void CheckRefused(byte[] bytes, string what)
    {
        Assert.False(Entry.TryDecode(bytes, out _, out var fault), what);
        Assert.NotEmpty(fault);
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
