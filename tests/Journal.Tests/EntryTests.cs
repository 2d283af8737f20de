using System.Buffers.Binary;
using System.Security.Cryptography;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal.Tests;

public sealed class EntryTests
{
    // Written down from docs/formats.md, field by field; the hash and the checksum are computed below by other means.
    private const string EpochEntryStart = "02 05 09 85000000 00112233445566778899AABBCCDDEEFF 00000000000000000000000000000000";

    private const string EpochEntryRest =
        "0807060504030201 01 00 00 05 00 00 3B"
        + "0100 0000 28000000 01000000 01000000 0100000000000000 FFFFFFFFFFFFFFFF 00000000000000000000000000000000"
        + "0200 0000 03000000 070809";

    [Fact]
    public void An_epoch_entry_has_the_bytes_of_the_table()
    {
        var bytes = Golden.EpochEntry().Encoded.Span;
        Assert.Equal(Bytes(EpochEntryStart), bytes[..39].ToArray());
        Assert.Equal(Bytes(EpochEntryRest), bytes[55..^4].ToArray());
        CheckHashAndChecksum(bytes, new byte[16]);
        Assert.Equal("439397A603BF5442519744BB218380D955D04E42", Convert.ToHexString(bytes[39..55]) + Convert.ToHexString(bytes[^4..]));
    }

    [Fact]
    public void An_entry_with_a_page_has_the_bytes_of_the_table()
    {
        var bytes = Golden.PageEntry().Encoded.Span;
        var before = Convert.ToHexString(Golden.EpochEntry().Encoded.Span[39..55]);
        Assert.Equal(Bytes("02 00 09 49020000 00112233445566778899AABBCCDDEEFF" + before), bytes[..39].ToArray());
        Assert.Equal(Bytes("0807060504030201 01 01 01 05 01" + "09 AB" + new string('0', 1020) + "CD"), bytes[55..^4].ToArray());
        CheckHashAndChecksum(bytes, Bytes(before));
        Assert.Equal("BF5D88A87CB4A7ABAF1034A589ED2B41343F82E6", Convert.ToHexString(bytes[39..55]) + Convert.ToHexString(bytes[^4..]));
    }

    [Fact]
    public void An_entry_with_patches_has_the_bytes_of_the_table()
    {
        var bytes = Golden.PatchEntry().Encoded.Span;
        var before = Convert.ToHexString(Golden.EpochEntry().Encoded.Span[39..55]);
        Assert.Equal(Bytes("02 00 09 63000000 00112233445566778899AABBCCDDEEFF" + before), bytes[..39].ToArray());
        Assert.Equal(
            Bytes(
                "0807060504030201 01 01 01 AC02 02" // 300 pages, two of them here
                + "0A A08EC9D5 6F6124FF 0A 00 02 F1F2 03 04 F3010204"
                + "03 04 8002 01 F5"),
            bytes[55..^4].ToArray());
        CheckHashAndChecksum(bytes, Bytes(before));
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
        foreach (var entry in new[] { Golden.EpochEntry(), Golden.PageEntry(), Golden.PatchEntry() })
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
        foreach (var entry in new[] { Golden.EpochEntry(), Golden.PageEntry(), Golden.PatchEntry() })
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
        foreach (var entry in new[] { Golden.EpochEntry(), Golden.PageEntry(), Golden.PatchEntry() })
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
    [InlineData(0, 1, "entry version 1 was found; this build reads version 2")]
    [InlineData(1, 8, "entry flags 0x08")]
    [InlineData(1, 2, "a tombstone was found that is not an epoch entry")]
    [InlineData(1, 1, "epoch entry")]
    [InlineData(1, 4, "extension tag")]
    [InlineData(2, 8, "page size 2^8")]
    [InlineData(2, 17, "page size 2^17")]
    [InlineData(2, 10, "page")]
    [InlineData(3, 1, "the header says")]
    [InlineData(63, 0, "epoch 0")]
    [InlineData(64, 0, "predecessor")]
    [InlineData(67, 0x80, "too short for its 1152 pages")]
    [InlineData(66, 2, "page 3 was found after page 0; ascending numbers from 1 to the database's size, 2,")]
    [InlineData(67, 2, "page record 1 of 2")]
    [InlineData(67, 0, "behind the last of 0 pages")]
    [InlineData(68, 8, "kind 0")]
    [InlineData(68, 10, "page")]
    [InlineData(68, 11, "page")]
    [InlineData(68, 25, "page 7")]
    public void A_wrong_field_is_refused_by_name(int offset, byte value, string named)
    {
        var bytes = Golden.PageEntry().Encoded.ToArray();
        bytes[offset] = value;
        CheckRefusedByName(bytes, named);
    }

    // What PatchEntry has from byte 69 on: 0A, two checksums, 0A 00 02 F1F2 03 04 F3010204, 03 04 8002 01 F5.
    [Theory]
    [InlineData(78, 0xFF, "length")]
    [InlineData(78, 0x0B, "range")]
    [InlineData(78, 0x09, "range")]
    [InlineData(80, 0, "range")]
    [InlineData(80, 9, "range")]
    [InlineData(83, 0, "range")]
    [InlineData(84, 0, "range")]
    [InlineData(89, 8, "kind 0")]
    [InlineData(92, 4, "range")]
    [InlineData(93, 2, "range")]
    public void A_wrong_range_is_refused_by_name(int offset, byte value, string named)
    {
        var bytes = Golden.PatchEntry().Encoded.ToArray();
        bytes[offset] = value;
        CheckRefusedByName(bytes, named);
    }

    [Fact]
    public void Numbers_have_one_form_only()
    {
        foreach (var value in new ulong[] { 0, 1, 127, 128, 16383, 16384, uint.MaxValue, ulong.MaxValue })
        {
            var bytes = new byte[10];
            var size = Varint.Write(bytes, value);
            Assert.Equal(Varint.SizeOf(value), size);
            var source = (ReadOnlySpan<byte>)bytes.AsSpan(0, size);
            Assert.True(Varint.TryRead(ref source, ulong.MaxValue, out var read) && read == value && source.IsEmpty);
            source = bytes.AsSpan(0, size);
            Assert.True(value == 0 || !Varint.TryRead(ref source, value - 1, out _), $"{value} above its limit");
            source = bytes.AsSpan(0, size - 1);
            Assert.False(Varint.TryRead(ref source, ulong.MaxValue, out _), $"{value} cut short");
        }

        foreach (var wrong in new[] { "8000", "FF8000", "FFFFFFFFFFFFFFFFFF02", "FFFFFFFFFFFFFFFFFFFF01" })
        {
            var source = (ReadOnlySpan<byte>)Convert.FromHexString(wrong);
            Assert.False(Varint.TryRead(ref source, ulong.MaxValue, out _), wrong);
        }
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

    private static void CheckRefusedByName(byte[] bytes, string named)
    {
        Close(bytes);
        Assert.False(Entry.TryDecode(bytes, out _, out var fault));
        Assert.Contains(named, fault, StringComparison.Ordinal);
    }

    private static void Close(byte[] bytes)
    {
        var hash = SHA256.HashData([.. bytes.AsSpan(23, 16), .. bytes.AsSpan(0, 39), .. bytes.AsSpan(55, bytes.Length - 59)]);
        hash.AsSpan(0, 16).CopyTo(bytes.AsSpan(39));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4), Crc32C.Of(bytes.AsSpan(0, bytes.Length - 4)));
    }

    private static void CheckHashAndChecksum(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> previousHash)
    {
        var hash = SHA256.HashData([.. previousHash, .. bytes[..39], .. bytes[55..^4]]);
        Assert.Equal(hash.AsSpan(0, 16).ToArray(), bytes[39..55].ToArray());
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
