using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>How a primary writes and keeps its file.</summary>
public sealed record PrimaryOptions
{
    /// <summary>Writes that may wait for the writer; above it a write is refused at once. Default 8,192.</summary>
    public int MaxWaitingWrites { get; init; } = 8192;

    /// <summary>WAL written since the last checkpoint, above which the next one runs. Default 16 MiB.</summary>
    public long CheckpointBytes { get; init; } = 16L << 20;

    /// <summary>Length of the WAL above which it is restarted, new reads held back for as long as that takes. Default 64 MiB.</summary>
    public long RestartWalBytes { get; init; } = 64L << 20;

    /// <summary>
    /// How long a snapshot on its way to a replica may keep a WAL from being restarted that is four times as long as that: then it is ended, and the replica's next one may take twice as long. Default 2 min.
    /// </summary>
    public TimeSpan SnapshotPatience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Memory of the node for the last images of written pages, shared by its primaries: of a page that is not there the whole is sent. Default 64 MiB.</summary>
    public long ImageCacheBytes { get; init; } = 64L << 20;

    /// <summary>Quiet time after which what is left is checkpointed. Default 2 s.</summary>
    public TimeSpan IdleCheckpoint { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Pause between two messages to a replica when there is nothing to send; twice as long when nothing was written meanwhile. Default 250 ms.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest time that one request's SQL may run when the caller names none. Default 30 s.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long interactive transactions may last.</summary>
    public TransactionOptions Transactions { get; init; } = new();

    /// <summary>How long an idempotency key has force after the commit of its write. Default 24 h.</summary>
    public TimeSpan IdempotencyRetention { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Idempotency keys that a database keeps; beyond them the oldest go. Default 1,000,000.</summary>
    public int MaxIdempotencyKeys { get; init; } = 1_000_000;

    /// <summary>How long a primary that begins waits for its followers before the callers are told that there are too few. Default 5 s.</summary>
    public TimeSpan QuorumPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Reads that must see every write answered before them rest on a lease of 300 ms, which assumes that clocks run within 10 % of the true rate. Off: each rests on
    /// a round to a quorum of followers. Default on.
    /// </summary>
    public bool ReadLease { get; init; } = true;

    /// <summary>How long a request that needs the newest entries in cold storage waits for them to get there. Default 30 s.</summary>
    public TimeSpan UploadPatience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Bounds of the read connections.</summary>
    public ReaderOptions Readers { get; init; } = new();
}
