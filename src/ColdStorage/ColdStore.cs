using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>A node's way to cold storage: its store, and the uploads that are under way.</summary>
/// <remarks>Safe for use by any thread. Of a database whose uploader has ended it remembers how far the store reaches, so that an idle one asks nothing when it comes back.</remarks>
public sealed class ColdStore : IAsyncDisposable
{
    private readonly ConcurrentDictionary<DatabaseId, StoredLog> _known = new();
    private readonly Random _random;
    private readonly Lock _chance = new();

    /// <summary>Takes a store; ends it with itself.</summary>
    public ColdStore(IObjectStore store, UploadOptions upload, TimeProvider time, Random random, ILogger logger)
    {
        Store = store;
        Upload = upload;
        Time = time;
        _random = random;
        Logger = logger;
    }

    /// <summary>Where everything lies.</summary>
    public IObjectStore Store { get; }

    internal UploadOptions Upload { get; }

    internal TimeProvider Time { get; }

    internal ILogger Logger { get; }

    /// <summary>Reads what is there.</summary>
    public ColdRestorer Restorer => new(Store, new ColdRestoreOptions());

    /// <summary>Begins to upload a log.</summary>
    /// <param name="source">The log.</param>
    /// <param name="isLeader">This node leads the database. Else it uploads only what nobody else has for a minute.</param>
    public ColdUploader Open(IUploadSource source, bool isLeader)
    {
        ArgumentNullException.ThrowIfNull(source);
        TimeSpan chance;
        lock (_chance)
        {
            chance = TimeSpan.FromSeconds(_random.NextDouble() * 10);
        }

        var known = isLeader && _known.TryGetValue(source.Database, out var stored) && source.Holds(stored.To) ? stored : null;
        return new ColdUploader(this, source, isLeader, known, chance);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Store.DisposeAsync();

    internal void Forget(ColdUploader uploader, StoredLog? known)
    {
        if (known is not null)
        {
            _known[uploader.Database] = known;
        }
    }
}
