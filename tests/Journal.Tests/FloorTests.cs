using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Journal.Tests;

/// <summary>The position at or below another, over runs of several epochs, and over a base.</summary>
public sealed class FloorTests
{
    [Fact]
    public void The_floor_of_every_epoch_and_sequence_is_the_greatest_end_that_is_not_above_it()
    {
        var fixture = new JournalFixture();
        var log = new LogBuilder(JournalFixture.Database(1));
        List<Position> ends = [Position.Start];
        foreach (uint epoch in new uint[] { 1, 3, 4 })
        {
            Append(log.OpenEpoch(epoch));
            for (var i = 0; i < 50; i++)
            {
                Append(log.Append(writes: 1 + (i % 3)));
            }
        }

        Check(first: 0);
        fixture.Run(fixture.Journal.SetBaseAsync(log.Database, ends[70]));
        Check(first: 70);
        fixture.Run(fixture.Journal.CutToAsync(log.Database, ends[90]));
        ends.RemoveRange(91, ends.Count - 91);
        Check(first: 70);
        Assert.Equal(Position.Start, fixture.Journal.FloorOf(JournalFixture.Database(2), 5, 5));

        void Append(Entry entry)
        {
            fixture.Append(entry);
            ends.Add(entry.End);
        }

        void Check(int first)
        {
            for (uint epoch = 0; epoch < 6; epoch++)
            {
                for (ulong sequence = 0; sequence < 320; sequence += 1)
                {
                    var wanted = ends.Skip(first).LastOrDefault(end => (end.Epoch, end.Sequence).CompareTo((epoch, sequence)) <= 0, ends[first]);
                    Assert.Equal(wanted, fixture.Journal.FloorOf(log.Database, epoch, sequence));
                }
            }
        }
    }

    [Fact]
    public async Task The_number_of_the_newest_group_grows_with_each_write_and_survives_a_start()
    {
        var fixture = new JournalFixture();
        var log = new LogBuilder(JournalFixture.Database(1));
        fixture.Append(log.OpenEpoch(1));
        var before = fixture.Journal.LastGroup;
        fixture.Append(log.Append());
        Assert.True(fixture.Journal.LastGroup > before);
        before = fixture.Journal.LastGroup;
        await fixture.Journal.DisposeAsync();
        Assert.True(fixture.Open().LastGroup >= before);
    }
}
