namespace ReplicatedSqlite.EndToEnd;

/// <summary>The most memory that this process, servers and clients together, has while something runs, beyond what it had before.</summary>
internal sealed class MemoryWatch : IAsyncDisposable
{
    private static readonly TimeSpan _each = TimeSpan.FromMilliseconds(10);

    private readonly CancellationTokenSource _ending = new();
    private readonly long _before;
    private readonly long _heldBefore = GC.GetTotalMemory(forceFullCollection: true);
    private readonly Task _watching;
    private long _most;

    private MemoryWatch()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _before = Environment.WorkingSet;
        _most = _before;
        _watching = WatchAsync();
    }

    public static MemoryWatch Start() => new();

    /// <summary>Fails if more was used at any moment so far.</summary>
    public void StayedBelow(long megabytes)
    {
        Look();
        var grown = (Interlocked.Read(ref _most) - _before) / 1_000_000;
        TestContext.Current.TestOutputHelper?.WriteLine($"memory grew by {grown} MB at most, from {_before / 1_000_000} MB");
        Assert.True(grown < megabytes, $"Memory grew by {grown} MB; less than {megabytes} MB were expected.");
    }

    /// <summary>Fails if more than before is still in use, garbage left out.</summary>
    public void HoldsNoMoreThan(long megabytes)
    {
        var held = (GC.GetTotalMemory(forceFullCollection: true) - _heldBefore) / 1_000_000;
        Assert.True(held < megabytes, $"{held} MB more than before are in use; less than {megabytes} MB were expected.");
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _watching;
        _ending.Dispose();
    }

    private async Task WatchAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            Look();
            await Task.Delay(_each, _ending.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
        }
    }

    private void Look() => Interlocked.Exchange(ref _most, Math.Max(Interlocked.Read(ref _most), Environment.WorkingSet));
}
