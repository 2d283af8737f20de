namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>An owner of much work leaves threads to the others.</summary>
public sealed class WorkerShareTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task One_owner_takes_a_quarter_of_the_threads_and_the_rest_of_its_work_waits()
    {
        await using var workers = new BlockingWorkers("test", 8, 100);
        var (greedy, modest) = (new WorkerShare(workers), new WorkerShare(workers));
        using var release = new ManualResetEventSlim();
        using var running = new CountdownEvent(2);
        var order = new List<int>();
        var work = Enumerable.Range(0, 20).Select(i => greedy.RunAsync(() =>
        {
            if (i < 2)
            {
                running.Signal();
                release.Wait(_patience);
            }
            else
            {
                lock (order)
                {
                    order.Add(i);
                }
            }
        })).ToList();
        Assert.True(running.Wait(_patience));
        Assert.Equal(0, workers.Queued); // it waits with its owner
        Assert.Equal(7, await modest.RunAsync(() => 7).WaitAsync(_patience));
        Assert.All(work, piece => Assert.False(piece.IsCompleted));
        release.Set();
        await Task.WhenAll(work).WaitAsync(_patience);
        Assert.Equal(18, order.Count);
    }

    [Fact]
    public async Task Work_that_fails_gives_its_place_back()
    {
        await using var workers = new BlockingWorkers("test", 4, 100);
        var share = new WorkerShare(workers);
        for (var i = 0; i < 5; i++)
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => share.RunAsync(() => throw new InvalidOperationException("wrong")).WaitAsync(_patience));
        }

        Assert.Equal(1, await share.RunAsync(() => 1).WaitAsync(_patience));
    }

    [Fact]
    public async Task Work_that_waits_is_refused_when_the_pool_closes()
    {
        var workers = new BlockingWorkers("test", 4, 100);
        var share = new WorkerShare(workers);
        using var release = new ManualResetEventSlim();
        using var running = new CountdownEvent(1);
        var first = share.RunAsync(() =>
        {
            running.Signal();
            release.Wait(_patience);
        });
        Assert.True(running.Wait(_patience));
        var second = share.RunAsync(() => 2);
        var closing = workers.DisposeAsync();
        release.Set();
        await first.WaitAsync(_patience);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => second.WaitAsync(_patience));
        await closing.AsTask().WaitAsync(_patience);
    }
}
