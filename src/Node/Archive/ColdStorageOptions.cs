using ReplicatedSqlite.ColdStorage;

namespace ReplicatedSqlite.Node;

/// <summary>Where logs and snapshots are kept for good: a folder, or a bucket of an S3-compatible store.</summary>
public sealed record ColdStorageOptions
{
    /// <summary>A folder that all nodes reach.</summary>
    public string? Folder { get; init; }

    /// <summary>A bucket; counts when no folder is named.</summary>
    public S3StoreOptions? S3 { get; init; }

    /// <summary>When the log goes there.</summary>
    public UploadOptions Upload { get; init; } = new();

    /// <summary>How patient requests are.</summary>
    public PatientStoreOptions Patience { get; init; } = new();

    /// <summary>How long every state of a database can be gone back to, unless the database says otherwise. Default 30 days.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long a deleted database can be undeleted. Default 7 days.</summary>
    public TimeSpan DeletionGrace { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How often what is older than the retention is looked for. Default 1 day.</summary>
    public TimeSpan CollectEvery { get; init; } = TimeSpan.FromDays(1);

    /// <summary>What is of no use any more is deleted after this: so long a restore that needs it may take. Default 1 day.</summary>
    public TimeSpan CollectionGrace { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How often this node looks whether something that it follows is missing in cold storage. Default 10 s.</summary>
    public TimeSpan FollowerLook { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A replica that has nothing is built from here where the database has so many bytes; below it the primary sends it sooner. Default 64 MiB.</summary>
    public long BootBytes { get; init; } = 64L << 20;

    /// <summary>The same of a database's age. Default 1 min.</summary>
    public TimeSpan BootAge { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Bounds of the copies for reads of past states.</summary>
    public PastCopyOptions Past { get; init; } = new();

    /// <summary>Opens the store.</summary>
    /// <exception cref="InvalidOperationException">Neither a folder nor a bucket is named.</exception>
    internal ColdStore Open(TimeProvider time, Random random, ILogger logger)
    {
        IObjectStore store = Folder is { } folder ? new FolderStore(folder, time)
            : S3 is { } s3 ? new S3Store(s3)
            : throw new InvalidOperationException("Cold storage needs a folder or an S3 bucket; neither is named in the options.");
        return new ColdStore(new PatientStore(store, Patience, time, new Random(random.Next())), Upload, time, new Random(random.Next()), logger);
    }
}
