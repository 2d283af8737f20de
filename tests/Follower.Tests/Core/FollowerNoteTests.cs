using System.Buffers.Binary;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using static ReplicatedSqlite.Follower.Tests.Logs;

namespace ReplicatedSqlite.Follower.Tests;

public class FollowerNoteTests
{
    private static readonly ChainHash _hash = ChainHash.Read(Convert.FromHexString("000102030405060708090a0b0c0d0e0f"));

    private static readonly FollowerNote _note = new(
        new(7, 0x1122334455667788), IsDeleted: true, new(6, 0x99, _hash),
        [new(new(7, 0x9a, _hash), new(null, new FollowerSet([new Guid("00112233-4455-6677-8899-aabbccddeeff")], 1)))]);

    private const string Golden =
        "01" + "01" + "0100" + "07000000" + "8877665544332211" // version, deleted, one set, promise
        + "06000000" + "9900000000000000" + "000102030405060708090a0b0c0d0e0f" // confirmed
        + "07000000" + "9a00000000000000" + "000102030405060708090a0b0c0d0e0f" // decided at
        + "1400" + "01" + "01" + "01" + "01" + "00112233445566778899aabbccddeeff"; // 20 bytes of follower sets

    [Fact]
    public void A_note_has_exactly_these_bytes() => Assert.Equal(Golden, Convert.ToHexStringLower(_note.Encode()));

    [Fact]
    public void A_note_is_read_as_it_was_written()
    {
        var read = FollowerNote.Decode(_note.Encode());
        Assert.Equal(_note with { Sets = read.Sets }, read);
        Assert.Equal(_note.Sets, read.Sets);
    }

    [Fact]
    public void A_note_that_is_short_long_of_another_version_or_out_of_order_is_refused()
    {
        var good = _note.Encode();
        for (var length = 0; length < good.Length; length++)
        {
            Assert.Throws<EntryFormatException>(() => FollowerNote.Decode(good.AsSpan(0, length)));
        }

        Assert.Throws<EntryFormatException>(() => FollowerNote.Decode([.. good, 0]));
        Assert.Throws<EntryFormatException>(() => FollowerNote.Decode([2, .. good[1..]]));
        Assert.Throws<EntryFormatException>(() => FollowerNote.Decode([1, 2, .. good[2..]]));
        var twice = (_note with { Sets = [_note.Sets[0], _note.Sets[0]] }).Encode();
        Assert.Throws<EntryFormatException>(() => FollowerNote.Decode(twice));
        BinaryPrimitives.WriteUInt16LittleEndian(good.AsSpan(2), 2);
        Assert.Throws<EntryFormatException>(() => FollowerNote.Decode(good));
    }

    [Fact]
    public void The_largest_note_fits_the_journal()
    {
        var full = new FollowerSet(Enumerable.Range(1, FollowerSet.MaxMembers).Select(i => Id((byte)i)), FollowerSet.MaxMembers);
        var note = _note with { Sets = [.. Enumerable.Range(1, FollowerNote.MaxSets).Select(i => new KnownSets(new((uint)i, 1, _hash), new(full, full)))] };
        Assert.True(note.Encode().Length < 64 << 10);
    }
}
