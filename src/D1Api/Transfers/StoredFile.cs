namespace ReplicatedSqlite.D1Api;

/// <summary>A file that was uploaded, or is to be downloaded.</summary>
/// <param name="name">By which clients know it.</param>
/// <param name="path">Where it lies.</param>
/// <param name="databaseId">Whose.</param>
/// <param name="etag">MD5 of an upload; empty of a download.</param>
/// <param name="madeAt">Timestamp.</param>
internal sealed class StoredFile(string name, string path, string databaseId, string etag, long madeAt)
{
    private int _receiving;

    public string Name => name;

    public string Path => path;

    public string DatabaseId => databaseId;

    public string Etag => etag;

    public long MadeAt => madeAt;

    /// <summary>All of it is there.</summary>
    public bool IsComplete { get; set; }

    /// <summary>What uses it: as long as it runs, the file stays.</summary>
    public Task? User { get; set; }

    /// <summary>One upload at a time.</summary>
    public bool TryReceive() => !IsComplete && Interlocked.Exchange(ref _receiving, 1) == 0;

    /// <summary>It broke off; it may come again.</summary>
    public void EndReceive() => Volatile.Write(ref _receiving, 0);

    /// <summary>Nobody is at it.</summary>
    public bool IsIdle => Volatile.Read(ref _receiving) == 0 && User is null or { IsCompleted: true };
}
