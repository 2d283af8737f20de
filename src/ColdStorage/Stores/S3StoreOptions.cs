namespace ReplicatedSqlite.ColdStorage;

/// <summary>An S3-compatible store.</summary>
public sealed record S3StoreOptions
{
    /// <summary>The bucket; it exists.</summary>
    public required string Bucket { get; init; }

    /// <summary>Address of the service, e.g. <c>https://s3.example.com</c>; <see langword="null"/>: Amazon's, for the region.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>Signed for this region. Default <c>us-east-1</c>.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>Who asks; <see langword="null"/>: as the AWS SDK finds it in the environment.</summary>
    public string? AccessKey { get; init; }

    /// <summary>Belongs to <see cref="AccessKey"/>.</summary>
    public string? SecretKey { get; init; }

    /// <summary>Before all names, with a <c>/</c> at its end; empty for none.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>The bucket stands in the path and not in the host name. Default on: every service knows that.</summary>
    public bool PathStyle { get; init; } = true;

    /// <summary>Bodies are sent in signed chunks. Default off: many services refuse them.</summary>
    public bool ChunkEncoding { get; init; }

    /// <summary>The service knows <c>If-None-Match: *</c> on PUT; else it is asked first whether the name is taken. Nothing rests on it. Default off.</summary>
    public bool ConditionalPut { get; init; }

    /// <summary>Server-side encryption: empty for the bucket's own setting, <c>AES256</c>, or <c>aws:kms</c>.</summary>
    public string Encryption { get; init; } = "";

    /// <summary>With <c>aws:kms</c>: the key; empty for the account's.</summary>
    public string EncryptionKey { get; init; } = "";

    /// <summary>Objects above this go in parts of this size. Default 16 MiB; at least 5 MiB.</summary>
    public int PartBytes { get; init; } = 16 << 20;
}
