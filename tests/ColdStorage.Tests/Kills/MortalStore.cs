namespace ReplicatedSqlite.ColdStorage.Tests;

/// <summary>A store as a process sees it that is killed at one of its calls: nothing that it does behind that reaches the store.</summary>
/// <param name="store">What outlives it.</param>
/// <param name="step">At which call.</param>
/// <param name="death">In which moment of it.</param>
internal sealed class MortalStore(MemoryStore store, int step, Death death) : IObjectStore
{
    private readonly TaskCompletionSource<string> _died = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _calls; // by Interlocked

    public string Description => store.Description;

    /// <summary>Completes at the death, with what it was doing.</summary>
    public Task<string> Died => _died.Task;

    public bool IsDead => _died.Task.IsCompleted;

    public Task<bool> PutAsync(string name, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellationToken = default) => RunAsync(
        "put " + name,
        async last =>
        {
            var content = parts.SelectMany(static part => part.ToArray()).ToArray();
            return await store.PutAsync(name, [last && death == Death.Halfway ? content.AsMemory(0, content.Length / 2) : content], cancellationToken);
        },
        death != Death.Before);

    public Task ReplaceAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default) =>
        RunAsync("replace " + name, async _ => { await store.ReplaceAsync(name, content, cancellationToken); return true; }, death == Death.After);

    public Task ReadAsync(string name, long offset, Memory<byte> target, CancellationToken cancellationToken = default) =>
        RunAsync("read " + name, async _ => { await store.ReadAsync(name, offset, target, cancellationToken); return true; }, false);

    public Task<StoredObject?> FindAsync(string name, CancellationToken cancellationToken = default) =>
        RunAsync("find " + name, _ => store.FindAsync(name, cancellationToken), false);

    public async IAsyncEnumerable<StoredObject> ListAsync(
        string prefix, string after = "", [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await RunAsync("list " + prefix, static _ => Task.FromResult(true), false);
        await foreach (var item in store.ListAsync(prefix, after, cancellationToken))
        {
            yield return item;
        }
    }

    public Task DeleteAsync(string name, CancellationToken cancellationToken = default) =>
        RunAsync("delete " + name, async _ => { await store.DeleteAsync(name, cancellationToken); return true; }, death == Death.After);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<T> RunAsync<T>(string doing, Func<bool, Task<T>> call, bool isDone)
    {
        var number = Interlocked.Increment(ref _calls);
        if (number > step || (number == step && !isDone))
        {
            _died.TrySetResult(doing);
            throw new ProcessDiedException(doing);
        }

        var result = await call(number == step);
        if (number == step)
        {
            _died.TrySetResult(doing);
            throw new ProcessDiedException(doing);
        }

        return result;
    }
}

/// <summary>The moment of a call in which the process dies.</summary>
public enum Death
{
    /// <summary>The call does not arrive.</summary>
    Before,

    /// <summary>It is carried out, and nobody hears of it.</summary>
    After,

    /// <summary>The store has half of what was to be put: not all of them put an object whole.</summary>
    Halfway,
}

/// <summary>What would go on does not.</summary>
internal sealed class ProcessDiedException(string doing) : Exception($"The process was killed at: {doing}");
