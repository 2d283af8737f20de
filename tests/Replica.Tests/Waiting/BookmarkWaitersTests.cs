using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Replica.Tests;

public class BookmarkWaitersTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly ManualTime _time = new();

    [Fact]
    public async Task A_wait_ends_when_the_bookmark_is_visible_and_not_before()
    {
        using var waiters = new BookmarkWaiters(_time);
        var start = Wait(waiters, Bookmark.Start);
        var third = Wait(waiters, new Bookmark(1, 3, 0));
        Assert.False(start.IsCompleted); // a copy that shows nothing satisfies nobody
        waiters.Advance(At(1, 2));
        Assert.Equal(WaitResult.Reached, await start.WaitAsync(_patience));
        Assert.False(third.IsCompleted);
        waiters.Advance(At(1, 3));
        Assert.Equal(WaitResult.Reached, await third.WaitAsync(_patience));
        Assert.Equal(WaitResult.Reached, waiters.Judge(new Bookmark(1, 3, 0)));
        Assert.Null(waiters.Judge(new Bookmark(1, 4, 0)));
    }

    [Fact]
    public async Task Each_wait_ends_at_its_own_time()
    {
        using var waiters = new BookmarkWaiters(_time);
        var late = Wait(waiters, new Bookmark(1, 1, 0), seconds: 10);
        var early = Wait(waiters, new Bookmark(1, 9, 0), seconds: 2);
        _time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(early.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(WaitResult.TimedOut, await early.WaitAsync(_patience));
        Assert.False(late.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(WaitResult.TimedOut, await late.WaitAsync(_patience));
        Assert.Equal(0, waiters.Count);
    }

    [Fact]
    public async Task An_abandoned_bookmark_is_told_once_a_later_epoch_is_visible()
    {
        using var waiters = new BookmarkWaiters(_time);
        waiters.Advance(At(1, 5));
        var table = EpochTable.Empty.Add(1, Position.Start);
        waiters.Grow(table);
        var abandoned = Wait(waiters, new Bookmark(1, 8, 0));
        waiters.Grow(table.Add(2, At(1, 5)));
        Assert.False(abandoned.IsCompleted); // epoch 2 may itself be none that lasts
        waiters.Advance(At(2, 6));
        Assert.Equal(WaitResult.Abandoned, await abandoned.WaitAsync(_patience));
        waiters.Grow(table); // an old entry that came again
        Assert.Equal(WaitResult.Abandoned, waiters.Judge(new Bookmark(1, 8, 0)));
    }

    [Fact]
    public async Task Suspended_copies_reach_nothing_and_closed_ones_end_all_waits()
    {
        var waiters = new BookmarkWaiters(_time);
        waiters.Advance(At(1, 5));
        waiters.Suspend();
        var waiting = Wait(waiters, new Bookmark(1, 1, 0));
        Assert.False(waiting.IsCompleted);
        waiters.Dispose();
        Assert.Equal(WaitResult.Closed, await waiting.WaitAsync(_patience));
        Assert.Equal(WaitResult.Closed, await Wait(waiters, Bookmark.Start).WaitAsync(_patience));
        waiters.Dispose();
    }

    [Fact]
    public async Task A_copy_to_which_nothing_more_comes_is_still_read_and_not_waited_for()
    {
        using var waiters = new BookmarkWaiters(_time);
        waiters.Advance(At(1, 5));
        var waiting = Wait(waiters, new Bookmark(1, 6, 0));
        waiters.Stop();
        Assert.Equal(WaitResult.Closed, await waiting.WaitAsync(_patience));
        Assert.Equal(WaitResult.Closed, await Wait(waiters, new Bookmark(1, 6, 0)).WaitAsync(_patience));
        Assert.Equal(WaitResult.Reached, await Wait(waiters, new Bookmark(1, 5, 0)).WaitAsync(_patience));
    }

    [Fact]
    public async Task Whoever_gives_up_is_forgotten()
    {
        using var waiters = new BookmarkWaiters(_time);
        using var giveUp = new CancellationTokenSource();
        var waiting = waiters.WaitAsync(new Bookmark(1, 1, 0), TimeSpan.FromSeconds(5), giveUp.Token).AsTask();
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(_patience));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => waiters.WaitAsync(new Bookmark(1, 1, 0), TimeSpan.FromSeconds(5), giveUp.Token).AsTask().WaitAsync(_patience));
        Assert.Equal(0, waiters.Count);
    }

    [Fact]
    public async Task Nobody_is_forgotten_when_waits_marks_and_cancellations_race()
    {
        using var waiters = new BookmarkWaiters(TimeProvider.System);
        var ends = await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(async () =>
        {
            var random = new Random(thread);
            var ended = 0;
            for (var i = 0; i < 3000; i++)
            {
                using var giveUp = new CancellationTokenSource();
                var wait = waiters.WaitAsync(new Bookmark(1, (ulong)random.Next(3000), 0), TimeSpan.FromMilliseconds(random.Next(3)), giveUp.Token).AsTask();
                if (random.Next(3) == 0)
                {
                    _ = Task.Run(giveUp.Cancel);
                }

                if (thread == 0)
                {
                    waiters.Advance(At(1, i));
                }

                await ((Task)wait).WaitAsync(_patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                ended += wait.IsCompleted ? 1 : 0;
                await Task.Yield();
            }

            return ended;
        })));
        Assert.All(ends, ended => Assert.Equal(3000, ended));
        Assert.Equal(0, waiters.Count);
    }

    private static Task<WaitResult> Wait(BookmarkWaiters waiters, Bookmark target, double seconds = 5) =>
        waiters.WaitAsync(target, TimeSpan.FromSeconds(seconds), CancellationToken.None).AsTask();

    private static Position At(uint epoch, int sequence) => new(epoch, (ulong)sequence, new ChainHash(epoch, (ulong)sequence));
}
