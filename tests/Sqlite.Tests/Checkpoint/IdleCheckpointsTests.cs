using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Sqlite.Tests;

public sealed class IdleCheckpointsTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void One_runs_at_a_time_and_as_long_a_rest_follows_as_it_took()
    {
        var turns = new IdleCheckpoints(_time);
        Assert.True(turns.IsFree);
        var first = turns.TryBegin();
        Assert.NotNull(first);
        Assert.False(turns.IsFree);
        _time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.Null(turns.TryBegin());
        first.Dispose();
        Assert.Null(turns.TryBegin());
        _time.Advance(TimeSpan.FromMilliseconds(9));
        Assert.False(turns.IsFree);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(turns.IsFree);
        Assert.NotNull(turns.TryBegin());
    }

    [Fact]
    public void After_a_very_long_one_the_rest_is_a_second()
    {
        var turns = new IdleCheckpoints(_time);
        using (turns.TryBegin())
        {
            _time.Advance(TimeSpan.FromHours(1));
        }

        Assert.False(turns.IsFree);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(turns.IsFree);
    }

    [Fact]
    public void Of_many_who_ask_at_once_one_begins()
    {
        var turns = new IdleCheckpoints(_time);
        var begun = 0;
        Parallel.For(0, 1000, _ =>
        {
            if (turns.TryBegin() != null)
            {
                Interlocked.Increment(ref begun);
            }
        });
        Assert.Equal(1, begun);
    }
}
