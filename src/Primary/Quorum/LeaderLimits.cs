namespace ReplicatedSqlite.Primary;

/// <summary>How much a leader has on its way. Below what a follower holds back (4,096 entries, 64 MiB).</summary>
internal sealed record LeaderLimits
{
    public static LeaderLimits Default { get; } = new();

    /// <summary>Bytes of entries on the way to one follower, unless a single entry is larger. Beyond, it catches up from the log.</summary>
    public long WindowBytes { get; init; } = 16 << 20;

    /// <summary>Entries on the way to one follower.</summary>
    public int WindowEntries { get; init; } = 2_048;

    /// <summary>How much of the log is read at once for a follower that catches up.</summary>
    public int ReadBytes { get; init; } = 1 << 20;

    /// <summary>An entry larger than this goes in parts of this size, and no message carries more entries than fit.</summary>
    public int PartBytes { get; init; } = 1 << 20;

    /// <summary>Reads that may wait for a proof. More are told at once that there is none.</summary>
    public int Proofs { get; init; } = 65_536;
}
