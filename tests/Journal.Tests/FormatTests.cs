using System.Buffers.Binary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal.Tests;

/// <summary>The journal's own bytes, as docs/formats.md has them.</summary>
public sealed class FormatTests
{
    private static readonly Guid _journal = new("11111111-2222-3333-4444-555555555555");
    private static readonly Guid _file = new("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee");

    [Fact]
    public void A_file_header_has_the_bytes_of_the_table()
    {
        var bytes = new FileHeader(7, _journal, _file, 64 << 20).Encode();
        Check(
            "52534A524E4C464C 01 000000 07000000 11111111222233334444555555555555 AAAAAAAABBBBCCCCDDDDEEEEEEEEEEEE 00000004 0000000000000000",
            bytes);
        Assert.Null(FileHeader.TryRead(bytes, "00000007.journal", out var header));
        Assert.Equal(new(7, _journal, _file, 64 << 20), header);
        Assert.NotNull(FileHeader.TryRead(bytes, "00000008.journal", out _));
    }

    [Fact]
    public void A_journal_id_has_the_bytes_of_the_table()
    {
        var bytes = JournalIdRecord.Encode(_journal);
        Check("52534A4F55524E4C 01 000000 11111111222233334444555555555555", bytes);
        Assert.True(JournalIdRecord.TryRead(bytes, out var id));
        Assert.Equal(_journal, id);
        Assert.False(JournalIdRecord.TryRead(bytes.AsSpan(0, 31), out _));
    }

    [Fact]
    public void A_group_with_a_note_and_a_base_has_the_bytes_of_the_tables()
    {
        var hash = new ChainHash(0x0123456789ABCDEF, 0xFEDCBA9876543210);
        var group = new GroupBuilder();
        Assert.Equal(64, group.Add(RecordKind.Note, NoteRecord.Encode(Golden.Database, [1, 2, 3]), 0));
        Assert.Equal(99, group.Add(RecordKind.Base, new StateRecord(Golden.Database, new(1, 2, hash), new(3, 4, hash)).Encode(), 0));
        byte[] bytes = [.. group.Build(9, _file, 4096, new(7, 4000)).SelectMany(part => part.ToArray())];
        var hashBytes = new byte[16];
        hash.Write(hashBytes);
        var hashHex = Convert.ToHexString(hashBytes);
        var body =
            "06 000000 13000000 00000000 00000000 00112233445566778899AABBCCDDEEFF 010203"
            + "02 000000 48000000 00000000 00000000 00112233445566778899AABBCCDDEEFF 01000000 0200000000000000" + hashHex + "03000000 0400000000000000" + hashHex;
        Assert.Equal(Bytes(body), bytes[64..]);
        Check(
            "525347524F5550".Insert(4, "4A") + " 0900000000000000 AAAAAAAABBBBCCCCDDDDEEEEEEEEEEEE 00100000 7B000000 02000000 07000000 A00F0000"
            + Hex(Crc32C.Of(bytes.AsSpan(64))) + "00000000",
            bytes[..64]);
    }

    [Fact]
    public void Reserved_bytes_that_are_not_zero_are_refused()
    {
        byte[] file = new FileHeader(7, _journal, _file, 64 << 20).Encode();
        foreach (var at in new[] { 9, 11, 52, 59 })
        {
            Assert.Contains("reserved", FileHeader.TryRead(Changed(file, at, 60), "00000007.journal", out _), StringComparison.Ordinal);
        }

        var group = new byte[64];
        new GroupHeader(1, _file, 64, 0, 0, default, 0).Write(group);
        Assert.Null(GroupHeader.TryRead(group, 64, 128, out _));
        Assert.Contains("reserved", GroupHeader.TryRead(Changed(group, 56, 60), 64, 128, out _), StringComparison.Ordinal);
        var record = new byte[16];
        foreach (var at in new[] { 1, 3, 12, 15 })
        {
            new RecordHeader(RecordKind.Note, 0, 0).Write(record);
            record[at] = 1;
            Assert.Contains("reserved", RecordHeader.TryRead(record, 16, out _), StringComparison.Ordinal);
        }
    }

    private static byte[] Changed(byte[] bytes, int at, int checksumAt)
    {
        var changed = bytes.ToArray();
        changed[at] = 1;
        BinaryPrimitives.WriteUInt32LittleEndian(changed.AsSpan(checksumAt), Crc32C.Of(changed.AsSpan(0, checksumAt)));
        return changed;
    }

    private static void Check(string hexWithoutChecksum, byte[] bytes) =>
        Assert.Equal(hexWithoutChecksum.Replace(" ", "", StringComparison.Ordinal) + Hex(Crc32C.Of(bytes.AsSpan(0, bytes.Length - 4))), Convert.ToHexString(bytes));

    private static string Hex(uint value) => Convert.ToHexString(BitConverter.GetBytes(value));

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
