using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

public class FollowerSetsTests
{
    private static readonly Guid _a = new("00112233-4455-6677-8899-aabbccddeeff");
    private static readonly Guid _b = new("10112233-4455-6677-8899-aabbccddeeff");
    private static readonly Guid _c = new("20112233-4455-6677-8899-aabbccddeeff");
    private static readonly FollowerSets _change = new(FollowerSet.Majority([_a]), FollowerSet.Majority([_c, _b, _a]));

    private const string Golden =
        "01" + "02" // version, old and new
        + "01" + "01" + "00112233445566778899aabbccddeeff" // 1 of 1
        + "03" + "02" + "00112233445566778899aabbccddeeff" + "10112233445566778899aabbccddeeff" + "20112233445566778899aabbccddeeff"; // 2 of 3

    [Fact]
    public void Follower_sets_have_exactly_these_bytes() => Assert.Equal(Golden, Convert.ToHexStringLower(_change.Encode()));

    [Fact]
    public void Follower_sets_are_read_as_they_were_written()
    {
        Assert.Equal(_change, FollowerSets.Decode(_change.Encode()));
        var alone = _change with { Old = null };
        Assert.Equal(alone, FollowerSets.Decode(alone.Encode()));
    }

    [Fact]
    public void What_is_short_long_of_another_version_or_could_not_work_is_refused()
    {
        var good = _change.Encode();
        for (var length = 0; length < good.Length; length++)
        {
            Assert.Throws<EntryFormatException>(() => FollowerSets.Decode(good.AsSpan(0, length)));
        }

        Assert.Throws<EntryFormatException>(() => FollowerSets.Decode([.. good, 0]));
        Assert.Throws<EntryFormatException>(() => FollowerSets.Decode([2, .. good[1..]]));
        Assert.Throws<EntryFormatException>(() => FollowerSets.Decode([1, 3, .. good[2..]]));
        Assert.Throws<EntryFormatException>(() => FollowerSets.Decode([.. good[..21], 1, .. good[22..]])); // 1 of 3: two quorums that share nobody
    }

    [Fact]
    public void An_epoch_entry_carries_them_and_no_other_entry_does()
    {
        var builder = new LogBuilder(new DatabaseId(_a));
        Assert.Equal(_change, FollowerSets.Of(builder.OpenEpoch(1, followerSets: _change.Encode())));
        Assert.Null(FollowerSets.Of(builder.Append()));
        Assert.Null(FollowerSets.Of(builder.OpenEpoch(2)));
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 2, 1)]
    [InlineData(3, 2, 2)]
    [InlineData(5, 3, 3)]
    public void A_quorum_and_a_seal_quorum_always_share_a_follower(int members, int quorum, int sealQuorum)
    {
        var set = FollowerSet.Majority(Enumerable.Range(1, members).Select(i => new Guid(i, 0, 0, new byte[8])));
        Assert.Equal((quorum, sealQuorum), (set.Quorum, set.SealQuorum));
        Assert.True(set.Quorum + set.SealQuorum > members);
    }
}
