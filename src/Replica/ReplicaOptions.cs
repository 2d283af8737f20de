using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Replica;

/// <summary>How a replica keeps its copy.</summary>
public sealed record ReplicaOptions
{
    /// <summary>WAL written since the last checkpoint, above which the next one runs. Default 16 MiB.</summary>
    public long CheckpointBytes { get; init; } = 16L << 20;

    /// <summary>Length of the WAL above which it is restarted, new reads held back for as long as that takes. Default 64 MiB.</summary>
    public long RestartWalBytes { get; init; } = 64L << 20;

    /// <summary>Quiet time after which what is left is checkpointed. Default 2 s.</summary>
    public TimeSpan IdleCheckpoint { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest pause between two tries to reach the primary. The first is 20 ms. Default 1 s.</summary>
    public TimeSpan MaxReconnectPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A primary that is silent for so long is taken for gone, and subscribed to again. It speaks every 250 to 500 ms. Default 5 s.</summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>After so long a wait the primary is asked whether the bookmark exists at all. Default 50 ms.</summary>
    public TimeSpan AskAboutBookmarkAfter { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>A copy that has heard nothing of its primary for so long is not waited for: who wants a bookmark that it does not have goes to the primary. Default 1 s.</summary>
    public TimeSpan StaleAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long it may take to hand this copy to a node that begins to lead, once the WAL has grown much too long beside it. Default 2 min.</summary>
    public TimeSpan SnapshotPatience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Holds back everything that this replica receives, to play a far region. Default none.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>How long interactive transactions that only read may last.</summary>
    public TransactionOptions Transactions { get; init; } = new();

    /// <summary>Bounds of the read connections.</summary>
    public ReaderOptions Readers { get; init; } = new();
}
