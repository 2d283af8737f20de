using System.Runtime.CompilerServices;

namespace ReplicatedSqlite.ColdStorage.Tests;

/// <summary>A store in memory, whose every call may be watched, failed, stalled or answered with a lie.</summary>
internal sealed class MemoryStore : IObjectStore
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, byte[]> _objects = new(StringComparer.Ordinal); // under _gate
    private readonly Dictionary<string, DateTimeOffset> _storedAt = []; // under _gate

    public string Description => "memory";

    /// <summary>Calls so far, in order: what was done to which object.</summary>
    public List<string> Calls { get; } = []; // under _gate

    /// <summary>Decides what becomes of a call, by its kind and name; before anything is done.</summary>
    public Func<string, string, StoreFault> Fault { get; set; } = static (_, _) => StoreFault.None;

    /// <summary>Its clock: what it says of when an object was stored.</summary>
    public Func<DateTimeOffset> Now { get; set; } = static () => default;

    /// <summary>An object that is listed, and is not there when it is read.</summary>
    public string? Ghost { get; set; }

    /// <summary>Ends the stalls.</summary>
    public TaskCompletionSource Stalled { get; } = new();

    public int CallCount
    {
        get
        {
            lock (_gate)
            {
                return Calls.Count;
            }
        }
    }

    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_gate)
            {
                return [.. _objects.Keys];
            }
        }
    }

    public byte[] this[string name]
    {
        get
        {
            lock (_gate)
            {
                return _objects[name];
            }
        }

        set
        {
            lock (_gate)
            {
                _objects[name] = value;
            }
        }
    }

    public void Remove(string name)
    {
        lock (_gate)
        {
            _objects.Remove(name);
        }
    }

    public MemoryStore Copy()
    {
        var copy = new MemoryStore();
        lock (_gate)
        {
            foreach (var (name, bytes) in _objects)
            {
                copy._objects[name] = bytes;
                copy._storedAt[name] = _storedAt.GetValueOrDefault(name);
            }
        }

        return copy;
    }

    public async Task<bool> PutAsync(string name, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellationToken = default)
    {
        ObjectName.Check(name);
        var fault = await BeginAsync("put", name, cancellationToken);
        var content = parts.SelectMany(static part => part.ToArray()).ToArray();
        lock (_gate)
        {
            if (fault is StoreFault.Lie || _objects.ContainsKey(name))
            {
                return fault is StoreFault.Lie;
            }

            _objects[name] = fault is StoreFault.Truncate ? content[..(content.Length / 2)] : content;
            _storedAt[name] = Now();
        }

        End(fault, name);
        return true;
    }

    public async Task ReplaceAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        ObjectName.Check(name);
        var fault = await BeginAsync("replace", name, cancellationToken);
        lock (_gate)
        {
            _objects[name] = content.ToArray();
            _storedAt[name] = Now();
        }

        End(fault, name);
    }

    public async Task ReadAsync(string name, long offset, Memory<byte> target, CancellationToken cancellationToken = default)
    {
        ObjectName.Check(name);
        var fault = await BeginAsync("read", name, cancellationToken);
        byte[]? content;
        lock (_gate)
        {
            content = _objects.GetValueOrDefault(name);
        }

        if (content is null)
        {
            throw new ObjectMissingException(name, Description);
        }

        if (offset + target.Length > content.Length || fault is StoreFault.Truncate)
        {
            throw new ObjectDamagedException(name, $"it ends at byte {content.Length}; {target.Length} bytes from {offset} were wanted");
        }

        content.AsSpan((int)offset, target.Length).CopyTo(target.Span);
        if (fault is StoreFault.Lie && target.Length > 0)
        {
            target.Span[target.Length / 2] ^= 1;
        }

        End(fault, name);
    }

    public async Task<StoredObject?> FindAsync(string name, CancellationToken cancellationToken = default)
    {
        var fault = await BeginAsync("find", name, cancellationToken);
        lock (_gate)
        {
            return _objects.TryGetValue(name, out var content) && fault is not StoreFault.Lie ? new StoredObject(name, content.Length, _storedAt.GetValueOrDefault(name)) : null;
        }
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, string after = "", [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ObjectName.CheckPrefix(prefix);
        await BeginAsync("list", prefix, cancellationToken);
        List<StoredObject> found;
        lock (_gate)
        {
            found = [.. _objects
                .Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(item.Key, after) > 0)
                .Select(item => new StoredObject(item.Key, item.Value.Length, _storedAt.GetValueOrDefault(item.Key)))];
            if (Ghost is { } ghost && !_objects.ContainsKey(ghost) && ghost.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(ghost, after) > 0)
            {
                found.Add(new StoredObject(ghost, 1000, default));
                found.Sort(static (left, right) => string.CompareOrdinal(left.Name, right.Name));
            }
        }

        foreach (var item in found)
        {
            yield return item;
        }
    }

    public async Task DeleteAsync(string name, CancellationToken cancellationToken = default)
    {
        var fault = await BeginAsync("delete", name, cancellationToken);
        Remove(name);
        End(fault, name);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<StoreFault> BeginAsync(string kind, string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        StoreFault fault;
        lock (_gate)
        {
            Calls.Add($"{kind} {name}");
            fault = Fault(kind, name);
        }

        if (fault is StoreFault.Stall)
        {
            await Stalled.Task.WaitAsync(cancellationToken);
        }

        return fault is StoreFault.Fail ? throw new ObjectStoreException($"503 for '{name}'.", isTransient: true) : fault;
    }

    private static void End(StoreFault fault, string name)
    {
        if (fault is StoreFault.FailAfterwards)
        {
            throw new ObjectStoreException($"The answer for '{name}' was lost.", isTransient: true);
        }
    }
}

/// <summary>What a <see cref="MemoryStore"/> does wrong.</summary>
internal enum StoreFault
{
    None,

    /// <summary>Nothing is done, and it says so.</summary>
    Fail,

    /// <summary>It is done, and the answer is an error.</summary>
    FailAfterwards,

    /// <summary>No answer.</summary>
    Stall,

    /// <summary>A write that keeps half of it; a read that ends early.</summary>
    Truncate,

    /// <summary>A write that keeps nothing and says well done; a read with a bit turned; an object that is not found.</summary>
    Lie,
}
