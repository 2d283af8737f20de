namespace ReplicatedSqlite.ColdStorage;

/// <summary>When and how a log goes to cold storage.</summary>
public sealed record UploadOptions
{
    /// <summary>Longest time that a confirmed entry waits at the primary before it is uploaded. Default 10 s.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Confirmed log above which it is uploaded at once, and about the most that one segment holds. Default 16 MiB.</summary>
    public long SegmentBytes { get; init; } = 16L << 20;

    /// <summary>How long a follower waits for the primary to upload before it does so itself. Default 60 s.</summary>
    public TimeSpan FollowerEvery { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A snapshot is taken when the log since the last exceeds the database, and this. Default 4 MiB: below it, restoring costs nothing anyway.</summary>
    public long LeastSnapshotBytes { get; init; } = 4L << 20;

    /// <summary>Segments since the last snapshot above which another is taken, however small they are: a restore reads each. Default 8,640, a day of them.</summary>
    public int MaxSegmentsPerSnapshot { get; init; } = 8640;

    /// <summary>Bytes of a page chunk. Default 4 MiB.</summary>
    public int ChunkBytes { get; init; } = 4 << 20;

    /// <summary>What a snapshot reads and stores in a second at most, for each database; less where the store is slow. Default 32 MiB.</summary>
    public long SnapshotBytesPerSecond { get; init; } = 32L << 20;

    /// <summary>Objects are compressed. Default off.</summary>
    public bool Compress { get; init; }

    /// <summary>After a failure the first try comes after this, then ever later. Default 1 s.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Pauses grow up to this. Default 1 min.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(1);
}
