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
    public int Callers => Concurrency[^1];

    /// <summary>The numbers of callers that are compared; the last is that of scenarios which have one only.</summary>
    public IReadOnlyList<int> Concurrency { get; init; } = [1, 16, 64];

    /// <summary>Calls begin at <see cref="Rate"/>, whether or not earlier ones are answered, also where a closed loop is usual.</summary>
    public bool IsOpenLoop { get; init; }

    /// <summary>Bytes of a value that is written.</summary>
    public int ValueBytes { get; init; } = 100;

    /// <summary>Rows that are there before reads are measured.</summary>
    public int DatabaseRows { get; init; } = 10_000;

    /// <summary>Numbers of replicas that are compared.</summary>
    public IReadOnlyList<int> Replicas { get; init; } = [1, 2, 5, 10, 20];

    /// <summary>Databases of a scenario that has many.</summary>
    public int Databases { get; init; } = 1000;

    /// <summary>Systems that are measured in the same run.</summary>
    public IReadOnlyList<string> Peers { get; init; } = [];

    /// <summary>Round trips between simulated regions, in which the nodes run; <see langword="null"/>: no distance between them.</summary>
    public string? Matrix { get; init; }

    /// <summary>Whether each node is a process of its own.</summary>
    public bool IsApart { get; init; }

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

    /// <summary>Only the series whose names contain this run, as for a profile; <see langword="null"/>: all do.</summary>
    public string? Only { get; init; }

    /// <summary>Where the results go as JSON.</summary>
    public string? JsonFile { get; init; }

    /// <summary>The state of the sources, for the report.</summary>
    public string Commit { get; init; } = "unknown";

    /// <summary>How long each limit is measured, before and after.</summary>
    public TimeSpan LimitTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Whether it is only to be seen that the scenario works.</summary>
    public bool IsQuick { get; init; }

    /// <summary>A second or so, to see that a scenario works; its figures mean nothing.</summary>
    public BenchOptions Quick() => this with
    {
        IsQuick = true,
        Rate = Math.Min(Rate, 200),
        Duration = TimeSpan.FromSeconds(0.2),
        Warmup = TimeSpan.FromSeconds(0.2),
        LimitTime = TimeSpan.FromSeconds(0.02),
        Rounds = 1,
        Rows = Math.Min(Rows, 10_000),
        DatabaseRows = Math.Min(DatabaseRows, 1000),
        Entries = Math.Min(Entries, 200),
        Concurrency = [1, 8],
        Replicas = [1, 2],
        Databases = Math.Min(Databases, 8),
    };
}
