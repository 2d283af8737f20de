using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica;

/// <summary>How often the copies of one node have failed lately, so that one that cannot be brought to work is built again ever more seldom, and costs the others nothing.</summary>
/// <remarks>The first time is free: most faults are gone with the copy that had them. Safe for use by any thread; holds the databases that failed within <see cref="_memory"/>.</remarks>
internal sealed class CopyFaults
{
    private static readonly TimeSpan _memory = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan[] _pauses = [TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(16), TimeSpan.FromSeconds(60)];

    private readonly Lock _gate = new();
    private readonly Dictionary<DatabaseId, (int Count, long At, string Reason)> _faults = [];

    /// <summary>A copy failed.</summary>
    /// <returns>How long it is left alone.</returns>
    public TimeSpan Note(DatabaseId database, string reason, TimeProvider time)
    {
        var now = time.GetTimestamp();
        lock (_gate)
        {
            foreach (var (old, _) in _faults.Where(fault => time.GetElapsedTime(fault.Value.At, now) > _memory).ToList())
            {
                _faults.Remove(old);
            }

            var count = _faults.GetValueOrDefault(database).Count + 1;
            _faults[database] = (count, now, reason);
            return PauseOf(count);
        }
    }

    /// <summary>For how much longer a copy is left alone, and why; <see langword="null"/> if it may begin.</summary>
    public (TimeSpan Left, string Reason)? Pause(DatabaseId database, TimeProvider time)
    {
        lock (_gate)
        {
            return _faults.TryGetValue(database, out var fault) && PauseOf(fault.Count) - time.GetElapsedTime(fault.At) is { Ticks: > 0 } left ? (left, fault.Reason) : null;
        }
    }

    private static TimeSpan PauseOf(int count) => _pauses[Math.Min(count, _pauses.Length) - 1];
}
