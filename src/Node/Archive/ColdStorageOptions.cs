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
