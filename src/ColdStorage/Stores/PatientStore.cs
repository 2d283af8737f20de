using System.Buffers;
using System.Runtime.CompilerServices;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Gives each request to a store a limit of time, and repeats what failed for a reason that may pass, with growing pauses.</summary>
/// <remarks>A listing is begun again behind the last name that came.</remarks>
public sealed class PatientStore(IObjectStore store, PatientStoreOptions options, TimeProvider time, Random random) : IObjectStore
{
    private readonly Lock _chance = new(); // Random is not safe for several threads

    /// <inheritdoc/>
    public string Description => store.Description;

    /// <inheritdoc/>
    public Task<bool> PutAsync(string name, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellationToken = default) => RunAsync(
        "store", name, parts.Sum(static part => (long)part.Length), limited => store.PutAsync(name, parts, limited), cancellationToken);

    /// <inheritdoc/>
    public Task ReplaceAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default) => RunAsync(
        "replace", name, content.Length, async limited => { await store.ReplaceAsync(name, content, limited); return true; }, cancellationToken);

    /// <inheritdoc/>
    public async Task ReadAsync(string name, long offset, Memory<byte> target, CancellationToken cancellationToken = default)
    {
        // A call that was given up may still write: never into what the next one fills. So each has its own, and the one that was waited for is taken over.
        var length = target.Length;
        var read = await RunAsync(
            "read",
            name,
            length,
            async limited =>
            {
                var own = ArrayPool<byte>.Shared.Rent(length);
                await store.ReadAsync(name, offset, own.AsMemory(0, length), limited);
                return own;
            },
            cancellationToken);
        read.AsMemory(0, length).CopyTo(target);
        ArrayPool<byte>.Shared.Return(read);
    }

    /// <inheritdoc/>
    public Task<StoredObject?> FindAsync(string name, CancellationToken cancellationToken = default) =>
        RunAsync("find", name, 0, limited => store.FindAsync(name, limited), cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredObject> ListAsync(
        string prefix, string after = "", [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var page = await RunAsync("list", prefix + "*", 0, limited => ListPageAsync(prefix, after, limited), cancellationToken);
            foreach (var item in page)
            {
                yield return item;
            }

            if (page.Count < options.ListedAtOnce)
            {
                yield break;
            }

            after = page[^1].Name;
        }
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string name, CancellationToken cancellationToken = default) =>
        RunAsync("delete", name, 0, async limited => { await store.DeleteAsync(name, limited); return true; }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => store.DisposeAsync();

    private async Task<List<StoredObject>> ListPageAsync(string prefix, string after, CancellationToken cancellationToken)
    {
        var page = new List<StoredObject>();
        await foreach (var item in store.ListAsync(prefix, after, cancellationToken))
        {
            page.Add(item);
            if (page.Count == options.ListedAtOnce)
            {
                break;
            }
        }

        return page;
    }

    private async Task<T> RunAsync<T>(string doing, string name, long bytes, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await LimitAsync(doing, name, bytes, call, cancellationToken);
            }
            catch (ObjectStoreException e) when (e.IsTransient && attempt < options.Attempts)
            {
                await Task.Delay(PauseAfter(attempt), time, cancellationToken);
            }
        }
    }

    private async Task<T> LimitAsync<T>(string doing, string name, long bytes, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var patience = options.Patience + TimeSpan.FromSeconds((double)bytes / options.SlowestBytesPerSecond);
        var running = call(limit.Token);
        try
        {
            return await running.WaitAsync(patience, time, cancellationToken); // also when the store does not look at its token
        }
        catch (TimeoutException)
        {
            await limit.CancelAsync();
            _ = running.ContinueWith(static late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw new ObjectStoreException($"Could not {doing} '{name}' in {Description}: no answer for {patience.TotalSeconds:F0} s.", isTransient: true);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await limit.CancelAsync();
            throw;
        }
    }

    // Growing, and different for each: those who failed together do not come again together.
    private TimeSpan PauseAfter(int attempt)
    {
        lock (_chance)
        {
            var most = Math.Min(options.LongestPause.TotalMilliseconds, options.FirstPause.TotalMilliseconds * Math.Pow(2, attempt - 1));
            return TimeSpan.FromMilliseconds(most * (0.5 + (random.NextDouble() / 2)));
        }
    }
}

/// <summary>How patient a <see cref="PatientStore"/> is.</summary>
public sealed record PatientStoreOptions
{
    /// <summary>Tries of one request in all. Default 5.</summary>
    public int Attempts { get; init; } = 5;

    /// <summary>How long one try may take, beside the time for its bytes. Default 20 s.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>What the slowest store that is waited for moves. Default 1 MiB/s.</summary>
    public int SlowestBytesPerSecond { get; init; } = 1 << 20;

    /// <summary>Before the second try. Default 200 ms.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Pauses grow up to this. Default 5 s.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Names in one try of a listing. Default 1,000.</summary>
    public int ListedAtOnce { get; init; } = 1000;
}
