using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary.Tests;

public sealed class WriteQueueTests
{
    [Fact]
    public void Writes_that_were_refused_while_they_ran_are_not_committed_and_those_who_came_later_stay()
    {
        var queue = new WriteQueue(10, new PrimaryMetrics());
        var (running, later) = (Write(), Write());
        queue.Add(running);
        var peeked = new List<PendingWrite>();
        queue.Peek(10, peeked);
        Assert.Equal([running], peeked);

        queue.Suspend(new RequestException(ErrorCodes.QuorumUnavailable, "Nothing was done."));
        queue.Suspend(null);
        queue.Add(later);

        Assert.False(queue.TryTake(peeked, 1));
        Assert.True(running.Task.IsFaulted);
        Assert.False(later.Task.IsCompleted);
        Assert.Equal(1, queue.Count);
        peeked.Clear();
        queue.Peek(10, peeked);
        Assert.Equal([later], peeked);
        Assert.True(queue.TryTake(peeked, 1));
        Assert.Equal(0, queue.Count);
    }

    private static PendingWrite Write() => new(new SqlRequest([], false), 0);
}
