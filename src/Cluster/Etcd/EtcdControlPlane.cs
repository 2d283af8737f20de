using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>The control plane of a cluster of processes, kept in etcd (3.4 or later, through its HTTP gateway).</summary>
/// <remarks>
/// Lookups answer from a mirror in memory, which goes on answering while etcd is away. Changes are compare-and-swap transactions that are only carried out in the
/// etcd that this node knows: one that was wiped or brought back from a backup is left alone until an operator has accepted it.
/// </remarks>
public sealed class EtcdControlPlane : IControlPlane
{
    private static readonly TimeSpan _shortestPause = TimeSpan.FromMilliseconds(2);

    private readonly ConcurrentDictionary<string, EtcdRegistration> _registrations = new();
    private readonly EtcdOptions _options;
    private readonly EtcdTransport _transport;
    private readonly EtcdStore _store;
    private readonly CatalogueMirror _catalogue;
    private readonly NodeMirror _nodes;
    private readonly TokenMirror _tokens = new();
    private readonly ControlMemory _memory;
    private readonly EtcdSession _session;
    private readonly TimeProvider _time;
    private readonly Random _random; // under its own lock
    private readonly ILogger _logger;
    private int _disposed; // by Interlocked

    private EtcdControlPlane(EtcdOptions options, ControlMemory memory, TimeProvider time, Random random, ILogger logger)
    {
        (_options, _memory, _time, _random, _logger) = (options, memory, time, random, logger);
        _transport = new EtcdTransport(options, time, random);
        _store = new EtcdStore(_transport, new EtcdKeys(options.Prefix), logger);
        _catalogue = new CatalogueMirror();
        _nodes = new NodeMirror(time);
        _session = new EtcdSession(options, _store, _catalogue, _nodes, _tokens, memory, time, logger);
        Tokens = new EtcdTokenStore(_session, _store, _tokens, ChangeAsync, options, logger);
    }

    /// <inheritdoc/>
    public string ClusterId => _session.Facts.ClusterId;

    /// <inheritdoc/>
    public IReadOnlyList<NodeRecord> Nodes => _nodes.Nodes;

    /// <inheritdoc/>
    public ITokenStore Tokens { get; }

    /// <inheritdoc/>
    public string NodeKey => _session.NodeKey;

    /// <summary>Why nothing can be elected, created or changed just now: etcd is away, or is not the one that it was; <see langword="null"/> when all is well.</summary>
    public string? Trouble => _session.Trouble;

    /// <summary>Connects. When etcd is away, or is not what it was, a node that remembers its cluster begins all the same, with what it remembers.</summary>
    /// <exception cref="ControlPlaneAwayException">etcd does not answer, and nothing is remembered of it: try again later.</exception>
    /// <exception cref="InvalidOperationException">The options cannot be used, or etcd cannot and nothing is remembered of it.</exception>
    public static async Task<EtcdControlPlane> ConnectAsync(
        EtcdOptions options, TimeProvider time, Random random, ILogger logger, CancellationToken cancellationToken = default)
    {
        if (options.Faults() is { Count: > 0 } faults)
        {
            throw new InvalidOperationException(string.Join(' ', faults));
        }

        var memory = await Task.Run(() => ControlMemory.Open(options.MemoryPath), cancellationToken);
        var control = new EtcdControlPlane(options, memory, time, random, logger);
        try
        {
            await control._session.BeginAsync(cancellationToken);
            return control;
        }
        catch
        {
            await control.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<IAsyncDisposable> RegisterAsync(NodeRecord node, CancellationToken cancellationToken = default)
    {
        var registration = new EtcdRegistration(_session, _store, _nodes, _options, node, () => _registrations.TryRemove(node.Id, out _), _time, _logger);
        if (!_registrations.TryAdd(node.Id, registration))
        {
            throw CatalogueErrors.NodeAlive(node.Id);
        }

        try
        {
            await registration.BeginAsync(cancellationToken);
            return registration;
        }
        catch
        {
            await registration.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public DatabaseRecord? Find(string nameOrId) => _catalogue.Current.Find(nameOrId);

    /// <inheritdoc/>
    public DatabaseRecord? Find(DatabaseId id) => _catalogue.Current.Find(id);

    /// <inheritdoc/>
    public bool IsDeleted(DatabaseId id) => _catalogue.IsDeleted(id);

    /// <inheritdoc/>
    public IReadOnlyList<DatabaseRecord> List(string namePrefix, string afterName, int count) => _catalogue.Current.List(namePrefix, afterName, count);

    /// <inheritdoc/>
    public IDisposable Watch(Action<CatalogueChange> onChange) => _catalogue.Watch(onChange);

    /// <inheritdoc/>
    public async ValueTask<DatabaseRecord?> FindNewestAsync(string nameOrId, CancellationToken cancellationToken = default)
    {
        var asId = Guid.TryParse(nameOrId, out var guid) && nameOrId.Length == 36 ? new DatabaseId(guid) : (DatabaseId?)null;
        var remembered = Find(nameOrId)?.Id ?? asId;
        var holder = await ReadAsync(_store.Keys.Name(nameOrId), remembered, cancellationToken);
        if (asId is not null && remembered == asId && Find(asId.Value) is { } byId)
        {
            return byId;
        }

        if (holder is { } id && id != remembered)
        {
            await ReadAsync(_store.Keys.Name(nameOrId), id, cancellationToken);
        }

        return holder is { } found && Find(found) is { } record && record.Name == nameOrId ? record : null;
    }

    /// <inheritdoc/>
    public async Task CreateAsync(DatabaseRecord database, CancellationToken cancellationToken = default)
    {
        var (name, record, deleted) = (_store.Keys.Name(database.Name), _store.Keys.Database(database.Id), _store.Keys.Deleted(database.Id));
        var value = StoredDatabase.Encode(database);
        var outcome = await ChangeAsync(
            [EtcdCompare.Missing(name), EtcdCompare.Missing(record), EtcdCompare.Missing(deleted)],
            [EtcdOperation.Put(name, EtcdKeys.EncodeId(database.Id)), EtcdOperation.Put(record, value)],
            [name, record, deleted],
            isVisible: true,
            cancellationToken);
        if (outcome.Succeeded)
        {
            _catalogue.Put(database, outcome.Revision);
            return;
        }

        if (outcome.MayBeRepeated && outcome.Values[1] is { } own && own.Bytes.SequenceEqual(value))
        {
            _catalogue.Put(database, own.ModRevision); // the answer to the first attempt was lost
        }
        else if (outcome.Values[1] is not null || outcome.Values[2] is not null)
        {
            throw CatalogueErrors.IdUsed(database);
        }
        else
        {
            throw CatalogueErrors.Taken(database.Name, EtcdKeys.DecodeId(outcome.Values[0]!));
        }
    }

    /// <inheritdoc/>
    public async Task<DatabaseRecord> UpdateAsync(DatabaseId id, Func<DatabaseRecord, DatabaseRecord> change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        for (var start = _time.GetTimestamp(); ; await PauseAsync(start, id, cancellationToken))
        {
            await ReadAsync(nameKey: null, id, cancellationToken);
            var (old, revision) = _catalogue.Find(id) ?? throw CatalogueErrors.Gone(id);
            var changed = change(old);
            if (changed == old)
            {
                return old;
            }

            var isRenamed = changed.Name != old.Name;
            changed = changed with { Id = id, Epoch = old.Epoch, Revision = old.Revision + 1, NameRevision = isRenamed ? old.Revision + 1 : old.NameRevision };
            var (key, newName) = (_store.Keys.Database(id), _store.Keys.Name(changed.Name));
            List<EtcdCompare> conditions = [EtcdCompare.Unchanged(key, revision)];
            List<EtcdOperation> changes = [EtcdOperation.Put(key, StoredDatabase.Encode(changed))];
            if (isRenamed)
            {
                conditions.Add(EtcdCompare.Missing(newName));
                changes.AddRange([EtcdOperation.Delete(_store.Keys.Name(old.Name)), EtcdOperation.Put(newName, EtcdKeys.EncodeId(id))]);
            }

            var outcome = await ChangeAsync(conditions, changes, [key, newName], isVisible: true, cancellationToken);
            if (outcome.Succeeded)
            {
                _catalogue.Put(changed, outcome.Revision);
                return changed;
            }

            if (outcome.MayBeRepeated && outcome.Values[0] is { } own && own.Bytes.SequenceEqual(StoredDatabase.Encode(changed)))
            {
                _catalogue.Put(changed, own.ModRevision);
                return changed;
            }

            if (isRenamed && outcome.Values[0]?.ModRevision == revision && outcome.Values[1] is { } taken)
            {
                throw CatalogueErrors.Taken(changed.Name, EtcdKeys.DecodeId(taken));
            }
        }
    }

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(DatabaseId id, CancellationToken cancellationToken = default)
    {
        var mayBeDone = false;
        for (var start = _time.GetTimestamp(); ; await PauseAsync(start, id, cancellationToken))
        {
            await ReadAsync(nameKey: null, id, cancellationToken);
            if (_catalogue.Find(id) is not var (record, revision))
            {
                return mayBeDone && _catalogue.IsDeleted(id);
            }

            var (key, name) = (_store.Keys.Database(id), _store.Keys.Name(record.Name));
            List<EtcdOperation> changes = [EtcdOperation.Put(_store.Keys.Deleted(id), []), EtcdOperation.Delete(key), EtcdOperation.Delete(name)];
            changes.AddRange(_catalogue.OldestDeletions(_options.DeletedCount - 1, count: 2).Select(old => EtcdOperation.Delete(_store.Keys.Deleted(old))));
            var outcome = await ChangeAsync(
                [EtcdCompare.Unchanged(key, revision), EtcdCompare.Holds(name, EtcdKeys.EncodeId(id))], changes, [key], isVisible: true, cancellationToken);
            mayBeDone |= outcome.MayBeRepeated;
            if (outcome.Succeeded)
            {
                _catalogue.Delete(id, outcome.Revision);
                return true;
            }
        }
    }

    /// <inheritdoc/>
    public async Task<uint> TakeEpochAsync(DatabaseId id, string nodeId, uint expected, uint above, CancellationToken cancellationToken = default)
    {
        for (var start = _time.GetTimestamp(); ; await PauseAsync(start, id, cancellationToken))
        {
            // What is remembered is tried first: it is one round trip, and nearly always right.
            if (_catalogue.Find(id) is not var (old, revision) || old.Epoch < expected)
            {
                await ReadAsync(nameKey: null, id, cancellationToken);
                (old, revision) = _catalogue.Find(id) ?? throw CatalogueErrors.Gone(id);
            }

            if (old.Epoch != expected)
            {
                throw CatalogueErrors.EpochTaken(old, expected);
            }

            var changed = old with { Epoch = Math.Max(expected, above) + 1, PrimaryNode = nodeId };
            if (await TrySwapAsync(id, changed, revision, cancellationToken))
            {
                return changed.Epoch;
            }
        }
    }

    /// <inheritdoc/>
    public async Task SetFollowersAsync(
        DatabaseId id, uint epoch, ImmutableArray<FollowerPlace> followers, int quorum, CancellationToken cancellationToken = default)
    {
        for (var start = _time.GetTimestamp(); ; await PauseAsync(start, id, cancellationToken))
        {
            if (_catalogue.Find(id) is not var (old, revision) || old.Epoch != epoch
                || (old.Quorum == quorum && old.Followers.SequenceEqual(followers))
                || await TrySwapAsync(id, old with { Followers = followers, Quorum = quorum }, revision, cancellationToken))
            {
                return;
            }
        }
    }

    /// <summary>Gives the registrations up and leaves etcd. Lookups go on answering from memory; changes fail.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        foreach (var registration in _registrations.Values)
        {
            await registration.DisposeAsync();
        }

        await _session.DisposeAsync();
        _transport.Dispose();
        _memory.Dispose();
    }

    // A record by its revision. When somebody else was quicker, theirs is known afterwards.
    private async Task<bool> TrySwapAsync(DatabaseId id, DatabaseRecord changed, long revision, CancellationToken cancellationToken)
    {
        var (key, deleted) = (_store.Keys.Database(id), _store.Keys.Deleted(id));
        var outcome = await ChangeAsync(
            [EtcdCompare.Unchanged(key, revision)], [EtcdOperation.Put(key, StoredDatabase.Encode(changed))], [key, deleted], isVisible: false, cancellationToken);
        if (outcome.Succeeded)
        {
            _catalogue.Put(changed, outcome.Revision);
        }
        else
        {
            Take(id, outcome.Values[0], outcome.Values[1], outcome.Revision);
        }

        return outcome.Succeeded;
    }

    /// <summary>Reads a database, and who holds a name, as etcd has them now. The mirror knows it from then on.</summary>
    /// <returns>Who holds the name.</returns>
    private async Task<DatabaseId?> ReadAsync(byte[]? nameKey, DatabaseId? id, CancellationToken cancellationToken)
    {
        List<byte[]> keys = nameKey is null ? [] : [nameKey];
        if (id is { } wanted)
        {
            keys.AddRange([_store.Keys.Database(wanted), _store.Keys.Deleted(wanted)]);
        }

        var outcome = await ChangeAsync([], [], keys, isVisible: false, cancellationToken);
        var skipped = nameKey is null ? 0 : 1;
        if (id is { } read)
        {
            Take(read, outcome.Values[skipped], outcome.Values[skipped + 1], outcome.Revision);
        }

        return nameKey is not null && outcome.Values[0] is { } holder ? EtcdKeys.DecodeId(holder) : null;
    }

    private void Take(DatabaseId id, EtcdKeyValue? record, EtcdKeyValue? deletion, long revision)
    {
        if (deletion is not null)
        {
            _catalogue.Delete(id, deletion.ModRevision);
        }
        else if (record is null)
        {
            _catalogue.Drop(id, revision);
        }
        else if (EtcdLoader.TryDecode(record, _logger) is { } newest)
        {
            _catalogue.Put(newest, record.ModRevision);
        }
    }

    private async Task<EtcdOutcome> ChangeAsync(
        IReadOnlyList<EtcdCompare> conditions, IReadOnlyList<EtcdOperation> changes, IReadOnlyList<byte[]> reads, bool isVisible, CancellationToken cancellationToken)
    {
        try
        {
            return await _session.CommitAsync(conditions, changes, reads, isOfCatalogue: true, cancellationToken);
        }
        catch (EtcdUnavailableException e) when (e.MayBeDone && isVisible)
        {
            throw EtcdErrors.Unknown(e);
        }
        catch (Exception e) when (e is EtcdUnavailableException or EtcdDistrustedException or EtcdRefusedException)
        {
            throw EtcdErrors.Unavailable(e);
        }
        catch (ObjectDisposedException)
        {
            throw new ObjectDisposedException(nameof(EtcdControlPlane));
        }
    }

    private async Task PauseAsync(long start, DatabaseId id, CancellationToken cancellationToken)
    {
        if (_time.GetElapsedTime(start) > _options.CallPatience)
        {
            throw EtcdErrors.Busy(id);
        }

        double chance;
        lock (_random)
        {
            chance = _random.NextDouble();
        }

        await Task.Delay(_shortestPause * (1 + (chance * 4)), _time, cancellationToken);
    }
}
