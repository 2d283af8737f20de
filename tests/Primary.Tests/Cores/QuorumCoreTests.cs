using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

public class QuorumCoreTests
{
    [Theory]
    [InlineData(1, 1, "0:3", 3)]
    [InlineData(3, 2, "0:3", 0)]
    [InlineData(3, 2, "0:3 1:2", 2)]
    [InlineData(3, 2, "0:3 1:2 2:3", 3)]
    [InlineData(3, 2, "2:1 1:1 0:3", 1)]
    [InlineData(5, 3, "0:3 1:3", 0)]
    [InlineData(5, 3, "0:3 1:3 4:1", 1)]
    [InlineData(3, 2, "0:3 0:3 0:2", 0)]
    [InlineData(3, 2, "1:3 2:3 0:1", 3)]
    public void What_a_quorum_has_is_confirmed(int members, int quorum, string acks, int confirmed)
    {
        var core = Core(members, quorum);
        foreach (var ack in acks.Split(' ').Select(ack => ack.Split(':').Select(int.Parse).ToArray()))
        {
            core.Ack(ack[0], At(ack[1]));
        }

        Assert.Equal(At(confirmed), core.Confirmed);
        Assert.Equal(3 - confirmed, core.Outstanding);
    }

    [Fact]
    public void An_ack_for_another_leaders_entry_counts_for_nothing()
    {
        var core = Core(3, 2);
        core.Ack(0, At(3));
        Assert.False(core.Ack(1, At(3) with { Hash = new ChainHash(9, 9) }));
        Assert.False(core.Ack(1, At(2) with { Epoch = 2 }));
        Assert.False(core.Ack(1, At(7)));
        Assert.Equal(At(0), core.Confirmed);
    }

    [Fact]
    public void The_log_does_not_go_back() => Assert.Throws<InvalidOperationException>(() => Core(1, 1).Append(At(3)));

    [Fact]
    public void A_quorum_lies_between_one_and_all()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new QuorumCore(3, 0, Position.Start));
        Assert.Throws<ArgumentOutOfRangeException>(() => new QuorumCore(3, 4, Position.Start));
    }

    [Theory]
    [InlineData("0:3 1:3 2:3", 0)] // Q of the old set, nobody of the new one but 0
    [InlineData("0:3 3:3 4:3", 0)] // the other way round
    [InlineData("0:3 1:2 3:1", 1)]
    [InlineData("0:3 1:2 3:3 4:1", 2)]
    [InlineData("1:3 2:3 3:2 4:3", 2)]
    public void While_the_set_changes_quorums_of_both_are_needed(string acks, int common)
    {
        var core = new QuorumCore();
        for (var member = 0; member < 5; member++)
        {
            Assert.Equal(member, core.Add());
        }

        core.Need(new QuorumNeed([0, 1, 2], 2), new QuorumNeed([0, 3, 4], 2));
        foreach (var ack in acks.Split(' ').Select(ack => ack.Split(':').Select(int.Parse).ToArray()))
        {
            Assert.True(core.Count(ack[0], At(ack[1])));
            Assert.False(core.Count(ack[0], At(ack[1])));
        }

        Assert.Equal(common == 0 ? Position.Start : At(common), core.Common());
    }

    [Fact]
    public void What_a_member_lost_counts_no_more()
    {
        var core = new QuorumCore();
        core.Need(new QuorumNeed([core.Add(), core.Add()], 2));
        core.Count(0, At(2));
        core.Count(1, At(2));
        core.Forget(1);
        Assert.Equal(Position.Start, core.Common());
    }

    private static Position At(int sequence) => new(1, (ulong)sequence, new ChainHash(1, (ulong)sequence));

    private static QuorumCore Core(int members, int quorum)
    {
        var core = new QuorumCore(members, quorum, At(0));
        for (var sequence = 1; sequence <= 3; sequence++)
        {
            core.Append(At(sequence));
        }

        return core;
    }
}
