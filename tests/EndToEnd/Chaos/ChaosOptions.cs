namespace ReplicatedSqlite.EndToEnd;

/// <summary>What a story is told with.</summary>
internal sealed record ChaosOptions
{
    /// <summary>All chance of the story comes from it.</summary>
    public required int Seed { get; init; }

    /// <summary>How long faults happen.</summary>
    public TimeSpan Length { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How many nodes; 0 for three to five, by the seed.</summary>
    public int Nodes { get; init; }

    /// <summary>Clients at once.</summary>
    public int Sessions { get; init; } = 8;

    /// <summary>The last node has a small disk, which is filled now and then; where this process is root.</summary>
    public bool FillsDisk { get; init; } = true;

    /// <summary>Where the processes run.</summary>
    public ProcessNetwork Network { get; init; } = ProcessNetwork.Loopback;

    /// <summary>The planted fault: from the middle of the story on, no node's disk syncs anything, and in the end the power of all is cut.</summary>
    public bool SyncsLie { get; init; }

    /// <summary>Where data folders, logs and history of a story that failed go.</summary>
    public string KeepIn { get; init; } = Path.Combine(Path.GetTempPath(), "rs-chaos");
}
