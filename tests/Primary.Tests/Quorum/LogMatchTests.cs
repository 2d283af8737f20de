using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>Where two logs part.</summary>
public class LogMatchTests
{
    private readonly QuorumRig _rig = new(1);
    private readonly MemoryLog _log = new();

    public LogMatchTests()
    {
        for (uint epoch = 1; epoch <= 5; epoch++)
        {
            _log.Append(_rig.BuildEpoch(_log.Last, epoch, new(null, _rig.Set(1))));
        }
    }

    [Fact]
    public void A_log_that_ends_inside_the_other_is_met_at_its_end()
    {
        var end = _log.Entries[2].End;
        Assert.Equal(end, new LogMatch(_log).Begin(end, Position.Start));
    }

    [Fact]
    public void Each_answer_leads_further_down_and_in_the_end_nowhere()
    {
        var match = new LogMatch(_log);
        var other = new Position(4, 9, new(7, 7));
        var place = match.Begin(other, Position.Start);
        Assert.Equal(_log.Entries[3].End, place);
        for (var last = other; place is { } at; last = at)
        {
            Assert.True(at < last);
            place = match.Next(new(at.Epoch, at.Sequence, new(7, 7)), Position.Start);
        }
    }

    [Fact]
    public void A_log_that_was_trimmed_or_begun_anew_meanwhile_is_met_where_it_begins()
    {
        var match = new LogMatch(_log);
        Assert.Equal(_log.Entries[0].End, match.Begin(_log.Entries[0].End, Position.Start));
        var begins = _log.Entries[3].End;
        Assert.Equal(begins, match.Next(begins, begins));
        var stranger = new Position(5, 5, new(7, 7));
        Assert.Null(match.Next(stranger, stranger));
    }
}
