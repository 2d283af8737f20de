namespace ReplicatedSqlite.Sqlite;

/// <summary>Spaces the checkpoints that a node's databases do because they are idle: one at a time, and after each a rest as long as it took, a second at most.</summary>
/// <remarks>
/// They are not urgent, and each is several syncs. When a thousand databases were written in the same minute, theirs at once would hold up everybody's reads and writes for
/// seconds. Who finds no turn asks again later. Checkpoints that are due because a WAL is long do not ask. Safe for use by any thread.
/// </remarks>
/// <param name="time">Measures how long one took.</param>
public sealed class IdleCheckpoints(TimeProvider time)
{
    private const long Running = long.MaxValue;

    private long _freeFrom = long.MinValue; // timestamp; by Interlocked

    /// <summary>Whether to ask is worth while.</summary>
    public bool IsFree => time.GetTimestamp() >= Volatile.Read(ref _freeFrom);

    /// <summary>Begins one.</summary>
    /// <returns>To be disposed at its end; <see langword="null"/>: it is not its turn.</returns>
    public IDisposable? TryBegin()
    {
        var freeFrom = Volatile.Read(ref _freeFrom);
        var now = time.GetTimestamp();
        return now >= freeFrom && Interlocked.CompareExchange(ref _freeFrom, Running, freeFrom) == freeFrom ? new Turn(this, now) : null;
    }

    private void End(long began)
    {
        var now = time.GetTimestamp();
        Volatile.Write(ref _freeFrom, now + Math.Min(now - began, time.TimestampFrequency)); // a disk that hung for an hour has rested enough
    }

    private sealed class Turn(IdleCheckpoints all, long began) : IDisposable
    {
        public void Dispose() => all.End(began);
    }
}
