using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>A node's way to cold storage: its store, and the uploads that are under way.</summary>
/// <remarks>Safe for use by any thread. Of a database whose uploader has ended it remembers how far the store reaches, so that an idle one asks nothing when it comes back.</remarks>
public sealed class ColdStore : IAsyncDisposable
{
    private readonly ConcurrentDictionary<DatabaseId, StoredLog> _known = new();
    private readonly ConcurrentDictionary<DatabaseId, ColdRecord> _records = new(); // as they are in the store
    private readonly SemaphoreSlim[] _recording = [.. Enumerable.Range(0, 16).Select(static _ => new SemaphoreSlim(1))]; // by database: what comes last is what stays
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
    public ColdRestorer Restorer => RestorerWith(new ColdRestoreOptions());

    /// <summary>The same in another way.</summary>
    public ColdRestorer RestorerWith(ColdRestoreOptions options) => new(Store, options);

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

    /// <summary>Keeps what is known of a database beside its log. One that is stored already makes no request; a deletion is final.</summary>
    /// <param name="record">What is known.</param>
    /// <param name="onlyIfThere">Does nothing for a database of which nothing is stored yet.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ObjectStoreException">The store did not take it.</exception>
    public async Task KeepRecordAsync(ColdRecord record, bool onlyIfThere = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(record);
        var database = new DatabaseId(record.Id);
        if (_records.TryGetValue(database, out var known) && known == record)
        {
            return;
        }

        var turn = _recording[database.Tag % (uint)_recording.Length];
        await turn.WaitAsync(cancellationToken);
        try
        {
            var kept = _records.GetValueOrDefault(database) ?? await ColdRecord.ReadAsync(Store, database, cancellationToken);
            if (kept is null && onlyIfThere)
            {
                return;
            }

            if (kept?.DeletedAtMicroseconds is null && kept != record)
            {
                await record.WriteAsync(Store, cancellationToken);
                kept = record;
            }

            _records[database] = kept!;
        }
        catch
        {
            _records.TryRemove(database, out _);
            throw;
        }
        finally
        {
            turn.Release();
        }
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
