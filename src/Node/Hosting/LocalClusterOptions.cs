namespace ReplicatedSqlite.Node;

/// <summary>A cluster of several regions in one process.</summary>
public sealed record LocalClusterOptions
{
    /// <summary>One node each.</summary>
    public IReadOnlyList<string> Regions { get; init; } = ["enam", "weur", "apac"];

    /// <summary>Holds a folder for each node, and the control plane's file.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Of the first region; each further one has the next. 0: any.</summary>
    public int GrpcPort { get; init; }

    /// <summary>Of the first region; each further one has the next. 0: any.</summary>
    public int HttpPort { get; init; }

    /// <summary>Holds back what the replica of a region receives.</summary>
    public IReadOnlyDictionary<string, TimeSpan> Delays { get; init; } = new Dictionary<string, TimeSpan>();

    /// <summary>Changes a node's options before it starts.</summary>
    public Func<NodeOptions, NodeOptions> Configure { get; init; } = static options => options;
}
