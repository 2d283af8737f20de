namespace ReplicatedSqlite.Simulation;

/// <summary>A node's disk. What is synced stays; what is only written is in the page cache, which outlives the process but not the power.</summary>
internal sealed class SimulatedDisk(World world, Guid journal)
{
    /// <summary>Names the journal on it.</summary>
    public Guid Journal => journal;

    public LogState Synced { get; } = new();

    /// <summary>Written and not synced, in order.</summary>
    public List<JournalRecord> Cached { get; } = [];

    /// <summary>Syncs that were begun before this changed are void.</summary>
    public int Generation { get; private set; }

    public long NextNumber { get; set; } = 1;

    public bool FailsNextSync { get; set; }

    /// <summary>Microseconds of a sync, from and to.</summary>
    public (long Least, long Most) SyncTime { get; set; } = (100, 3_000);

    /// <summary>Called for each record that is synced.</summary>
    public Action<JournalRecord>? Seen { get; set; }

    public long ChooseSyncTime() => world.Between(SyncTime.Least, SyncTime.Most);

    public void Sync(int count)
    {
        foreach (var record in Cached.GetRange(0, count))
        {
            Synced.Apply(record);
            Seen?.Invoke(record);
        }

        Cached.RemoveRange(0, count);
    }

    /// <summary>
    /// The power fails, or a sync did. Sectors of what was not synced are there or not, each by itself; the journal's rule is that everything behind the first hole
    /// goes, whole records too.
    /// </summary>
    public void Tear()
    {
        Generation++;
        var whole = 0;
        while (whole < Cached.Count && world.Chance(0.6))
        {
            whole++;
        }

        Cached.RemoveRange(whole, Cached.Count - whole);
    }

    /// <summary>The process is gone; the system goes on, and the page cache with it.</summary>
    public void Abandon() => Generation++;
}
