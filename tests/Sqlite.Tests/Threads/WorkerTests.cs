using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite.Tests;

public sealed class WorkerTests
{
    [Fact]
    public async Task Work_runs_on_named_background_threads_and_results_come_back()
    {
        await using var workers = new BlockingWorkers("sqlite", maxThreads: 2, maxQueued: 100);
        var seen = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => workers.RunAsync(() => (i, Thread.CurrentThread.Name, Thread.CurrentThread.IsBackground))));
        Assert.Equal(Enumerable.Range(0, 50), seen.Select(one => one.i));
        Assert.All(seen, one => Assert.True(one.IsBackground && one.Name!.StartsWith("sqlite ", StringComparison.Ordinal)));
        Assert.InRange(seen.Select(one => one.Name).Distinct().Count(), 1, 2);
    }

    [Fact]
    public async Task A_full_queue_refuses_with_a_time_to_try_again()
    {
        await using var workers = new BlockingWorkers("sqlite", maxThreads: 1, maxQueued: 2);
        using var release = new ManualResetEventSlim();
        var started = new TaskCompletionSource();
        var running = workers.RunAsync(() =>
        {
            started.SetResult();
            release.Wait();
        });
        await started.Task;
        var waiting = new[] { workers.RunAsync(() => 1), workers.RunAsync(() => 2) };
        var error = Assert.Throws<RequestException>(() => { _ = workers.RunAsync(() => 3); });
        Assert.Equal(ErrorCodes.Overloaded, error.Error.Code);
        Assert.True(error.Error.Retryable);
        Assert.True(error.Error.RetryAfter.ToTimeSpan() > TimeSpan.Zero);
        release.Set();
        await running;
        Assert.Equal(new[] { 1, 2 }, await Task.WhenAll(waiting));
        Assert.Equal(4, await workers.RunAsync(() => 4));
    }

    [Fact]
    public async Task What_work_throws_goes_to_the_one_who_asked()
    {
        await using var workers = new BlockingWorkers("sqlite", maxThreads: 1, maxQueued: 10);
        await Assert.ThrowsAsync<InvalidOperationException>(() => workers.RunAsync(() => throw new InvalidOperationException()));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => workers.RunAsync(() => throw new OperationCanceledException()));
        Assert.Equal(1, await workers.RunAsync(() => 1));
    }

    [Fact]
    public async Task Closing_waits_for_what_runs_and_refuses_what_waits()
    {
        var workers = new BlockingWorkers("sqlite", maxThreads: 1, maxQueued: 10);
        using var release = new ManualResetEventSlim();
        var started = new TaskCompletionSource();
        var running = workers.RunAsync(() =>
        {
            started.SetResult();
            release.Wait();
            return 1;
        });
        await started.Task;
        var waiting = workers.RunAsync(() => 2);
        var closing = workers.DisposeAsync().AsTask();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        Assert.False(closing.IsCompleted);
        release.Set();
        Assert.Equal(1, await running);
        await closing;
        Assert.Throws<ObjectDisposedException>(() => { _ = workers.RunAsync(() => 3); });
        await new BlockingWorkers("unused", 1, 1).DisposeAsync();
    }

    [Fact]
    public async Task Short_work_runs_on_its_callers_thread_one_piece_at_a_time()
    {
        await using var workers = new BlockingWorkers("sqlite", maxThreads: 1, maxQueued: 10);
        var nested = Task.FromResult<string?>(null);
        var here = 0;
        var own = workers.RunShortAsync(() =>
        {
            nested = workers.RunShortAsync(() => Thread.CurrentThread.Name); // the place is taken
            here = Environment.CurrentManagedThreadId;
        });
        Assert.True(own.IsCompletedSuccessfully);
        Assert.Equal(Environment.CurrentManagedThreadId, here);
        Assert.Equal("sqlite 1", await nested);
        await Assert.ThrowsAsync<InvalidOperationException>(() => workers.RunShortAsync(() => throw new InvalidOperationException()));
    }

    [Fact]
    public async Task Pools_that_share_callers_threads_share_their_number()
    {
        var lent = new LentThreads(1);
        await using var first = new BlockingWorkers("first", maxThreads: 1, maxQueued: 10, lent);
        await using var second = new BlockingWorkers("second", maxThreads: 1, maxQueued: 10, lent);
        var elsewhere = Task.FromResult<string?>(null);
        await first.RunShortAsync(() => { elsewhere = second.RunShortAsync(() => Thread.CurrentThread.Name); });
        Assert.Equal("second 1", await elsewhere);
        Assert.Equal(Environment.CurrentManagedThreadId, await second.RunShortAsync(() => Environment.CurrentManagedThreadId));
        await using var none = new BlockingWorkers("none", maxThreads: 1, maxQueued: 10, new LentThreads(0));
        Assert.Equal("none 1", await none.RunShortAsync(() => Thread.CurrentThread.Name));
    }

    [Fact]
    public async Task Closing_waits_for_what_runs_on_its_callers_thread()
    {
        var workers = new BlockingWorkers("sqlite", maxThreads: 1, maxQueued: 10);
        var closing = Task.CompletedTask;
        await workers.RunShortAsync(() =>
        {
            closing = workers.DisposeAsync().AsTask();
            Assert.False(closing.IsCompleted);
        });
        await closing;
        Assert.Throws<ObjectDisposedException>(() => { _ = workers.RunShortAsync(() => 1); });
    }

    [Fact]
    public async Task Turns_of_one_owner_run_one_after_the_other_in_order()
    {
        await using var workers = new BlockingWorkers("sqlite", maxThreads: 4, maxQueued: 1000);
        var owners = Enumerable.Range(0, 10).Select(_ => (Queue: new TurnQueue(workers, 1000), Order: new List<int>())).ToArray();
        var running = new int[owners.Length];
        var tasks = new List<Task>();
        for (var turn = 0; turn < 200; turn++)
        {
            for (var o = 0; o < owners.Length; o++)
            {
                var (owner, number) = (o, turn);
                tasks.Add(owners[o].Queue.RunAsync(() =>
                {
                    Assert.Equal(1, Interlocked.Increment(ref running[owner]));
                    owners[owner].Order.Add(number); // unsafe, if two ran at once
                    Interlocked.Decrement(ref running[owner]);
                }));
            }
        }

        await Task.WhenAll(tasks);
        Assert.All(owners, owner => Assert.Equal(Enumerable.Range(0, 200), owner.Order));
    }

    [Fact]
    public async Task A_busy_owner_lets_others_have_the_thread()
    {
        await using var workers = new BlockingWorkers("sqlite", maxThreads: 1, maxQueued: 100);
        var busy = new TurnQueue(workers, 10_000);
        var order = new List<string>();
        using var release = new ManualResetEventSlim();
        var gate = workers.RunAsync(release.Wait);
        var turns = Enumerable.Range(0, 1000).Select(_ => busy.RunAsync(() => order.Add("busy"))).ToList();
        turns.Add(new TurnQueue(workers, 10).RunAsync(() => order.Add("other")));
        release.Set();
        await gate;
        await Task.WhenAll(turns);
        Assert.Equal(1001, order.Count);
        Assert.InRange(order.IndexOf("other"), 1, 100);
    }

    [Fact]
    public async Task Turns_are_bounded_and_a_full_pool_refuses_the_first_one()
    {
        await using var workers = new BlockingWorkers("sqlite", maxThreads: 1, maxQueued: 1);
        using var release = new ManualResetEventSlim();
        var started = new TaskCompletionSource();
        var gate = workers.RunAsync(() =>
        {
            started.SetResult();
            release.Wait();
        });
        await started.Task;
        var queue = new TurnQueue(workers, 2);
        var turns = new[] { queue.RunAsync(() => 1), queue.RunAsync(() => 2) };
        Assert.Equal(ErrorCodes.Overloaded, Assert.Throws<RequestException>(() => { _ = queue.RunAsync(() => 3); }).Error.Code);
        var other = new TurnQueue(workers, 2);
        Assert.Equal(ErrorCodes.Overloaded, Assert.Throws<RequestException>(() => { _ = other.RunAsync(() => 4); }).Error.Code);
        Assert.Equal(0, other.Queued);
        release.Set();
        await gate;
        Assert.Equal(new[] { 1, 2 }, await Task.WhenAll(turns));
        Assert.Equal(4, await other.RunAsync(() => 4));
    }

    [Fact]
    public async Task Turns_that_wait_are_refused_when_the_workers_close()
    {
        var workers = new BlockingWorkers("sqlite", maxThreads: 1, maxQueued: 10);
        using var release = new ManualResetEventSlim();
        var started = new TaskCompletionSource();
        var gate = workers.RunAsync(() =>
        {
            started.SetResult();
            release.Wait();
        });
        await started.Task;
        var queue = new TurnQueue(workers, 10);
        var turns = Enumerable.Range(0, 3).Select(i => queue.RunAsync(() => i)).ToList();
        var closing = workers.DisposeAsync().AsTask();
        release.Set();
        await closing;
        await gate;
        foreach (var turn in turns)
        {
            await Assert.ThrowsAsync<ObjectDisposedException>(() => turn);
        }
    }
}
