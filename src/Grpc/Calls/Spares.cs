namespace ReplicatedSqlite.Grpc;

/// <summary>A few objects kept for their next use; what finds no room is left to the garbage collector. Thread-safe.</summary>
/// <typeparam name="T">What is kept. Whoever keeps it has let go of it.</typeparam>
public sealed class Spares<T>
    where T : class
{
    private readonly T?[] _kept;

    /// <summary>Room for so many.</summary>
    public Spares(int capacity) => _kept = new T?[capacity];

    /// <summary>One that is nobody's; null if there is none.</summary>
    public T? TryTake()
    {
        foreach (ref var slot in _kept.AsSpan())
        {
            if (Volatile.Read(ref slot) is { } item && Interlocked.CompareExchange(ref slot, null, item) == item) return item;
        }

        return null;
    }

    /// <summary>Keeps one, if there is room.</summary>
    public void Keep(T item)
    {
        foreach (ref var slot in _kept.AsSpan())
        {
            if (Volatile.Read(ref slot) is null && Interlocked.CompareExchange(ref slot, item, null) is null) return;
        }
    }
}
