namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What a run measures, and for how long.</summary>
public sealed record BenchOptions
{
    public required string Scenario { get; init; }

    /// <summary>Calls per second of an open loop.</summary>
    public int Rate { get; init; } = 1000;

    /// <summary>Measured time of each series, divided over the rounds.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time before the first measurement, divided over the series.</summary>
    public TimeSpan Warmup { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Times that the series take turns.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>Callers at once in a closed loop.</summary>
    public int Callers { get; init; } = 64;

    /// <summary>Followers of the databases that are written; one database for each number.</summary>
    public IReadOnlyList<int> Followers { get; init; } = [3];

    /// <summary>Of the followers; 0 for the smallest majority.</summary>
    public int Quorum { get; init; }

    /// <summary>Rows of one call of the series with batches.</summary>
    public int Batch { get; init; } = 10;

    /// <summary>Log entries that a recovery finds behind its base.</summary>
    public int Entries { get; init; } = 100_000;

    /// <summary>Rows that a scenario streams.</summary>
    public int Rows { get; init; } = 1_000_000;

    /// <summary>The primary's region first.</summary>
    public IReadOnlyList<string> Regions { get; init; } = ["enam", "weur", "apac"];

    public int Seed { get; init; } = 1;

    /// <summary>Where the results go as JSON.</summary>
    public string? JsonFile { get; init; }

    /// <summary>The state of the sources, for the report.</summary>
    public string Commit { get; init; } = "unknown";

    /// <summary>How long the disk is measured, before and after.</summary>
    public TimeSpan DiskLimit { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A second or so, to see that a scenario works; its figures mean nothing.</summary>
    public BenchOptions Quick() => this with
    {
        Rate = Math.Min(Rate, 200),
        Duration = TimeSpan.FromSeconds(0.4),
        Warmup = TimeSpan.FromSeconds(0.4),
        Rounds = 2,
        Rows = Math.Min(Rows, 20_000),
        Entries = Math.Min(Entries, 500),
        Callers = Math.Min(Callers, 8),
        DiskLimit = TimeSpan.FromSeconds(0.1),
    };
}
