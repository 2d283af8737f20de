using System.Collections.Immutable;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>The control plane of a cluster that lives in one process, kept in one SQLite file.</summary>
/// <remarks>Writers take <c>_writing</c> one after the other; readers use the published <see cref="Catalogue"/> and node list without a lock.</remarks>
public sealed class EmbeddedControlPlane : IControlPlane
{
    private readonly Lock _writing = new();
    private readonly ControlFile _file; // used under _writing
    private ImmutableArray<NodeRecord> _nodes = []; // written under _writing; read by any thread
    private Catalogue _catalogue; // written under _writing; read by any thread
    private ImmutableList<Action<CatalogueChange>> _watchers = []; // written under _writing; read by any thread
    private bool _disposed; // written under _writing

    private EmbeddedControlPlane(ControlFile file)
    {
        _file = file;
        ClusterId = file.ClusterId;
        _catalogue = Catalogue.Of(file.ReadAll());
        Tokens = new EmbeddedTokenStore(_writing, file.Tokens, () => _disposed);
    }

    /// <inheritdoc/>
    public string ClusterId { get; }

    /// <inheritdoc/>
    public IReadOnlyList<NodeRecord> Nodes => _nodes;

    /// <inheritdoc/>
    public ITokenStore Tokens { get; }

    /// <inheritdoc/>
    /// <remarks>All nodes are in this process, so it need not outlive it.</remarks>
    public string NodeKey { get; } = Cluster.NodeKey.Create();

    /// <summary>Opens the file, or makes a new cluster.</summary>
    /// <param name="path">The file; its folder exists.</param>
    /// <param name="random">Makes the id of a new cluster.</param>
    public static EmbeddedControlPlane Open(string path, Random random) => new(ControlFile.Open(path, random));

    /// <inheritdoc/>
    public Task<IAsyncDisposable> RegisterAsync(NodeRecord node, CancellationToken cancellationToken = default)
    {
        lock (_writing)
        {
            if (_nodes.Any(other => other.Id == node.Id))
            {
                throw CatalogueErrors.NodeAlive(node.Id);
            }

            _nodes = _nodes.Add(node);
        }

        return Task.FromResult<IAsyncDisposable>(new Registration(this, node));
    }

    /// <inheritdoc/>
    public DatabaseRecord? Find(string nameOrId) => Volatile.Read(ref _catalogue).Find(nameOrId);

    /// <inheritdoc/>
    public DatabaseRecord? Find(DatabaseId id) => Volatile.Read(ref _catalogue).Find(id);

    /// <inheritdoc/>
    public bool IsDeleted(DatabaseId id)
    {
        lock (_writing)
        {
            return !_disposed && Find(id) is null && _file.Knows(id);
        }
    }

    /// <inheritdoc/>
    /// <remarks>All nodes of this process share what is in memory, so nothing is newer than that.</remarks>
    public ValueTask<DatabaseRecord?> FindNewestAsync(string nameOrId, CancellationToken cancellationToken = default) => ValueTask.FromResult(Find(nameOrId));

    /// <inheritdoc/>
    public IReadOnlyList<DatabaseRecord> List(string namePrefix, string afterName, int count) =>
        Volatile.Read(ref _catalogue).List(namePrefix, afterName, count);

    /// <inheritdoc/>
    public Task CreateAsync(DatabaseRecord database, CancellationToken cancellationToken = default)
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_catalogue.Find(database.Name) is { } taken)
            {
                throw CatalogueErrors.Taken(taken.Name, taken.Id);
            }

            if (_file.Knows(database.Id))
            {
                throw CatalogueErrors.IdUsed(database);
            }

            _file.Put(database);
            Volatile.Write(ref _catalogue, _catalogue.With(database));
        }

        Notify(new(database.Id, database));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<DatabaseRecord> UpdateAsync(DatabaseId id, Func<DatabaseRecord, DatabaseRecord> change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        DatabaseRecord changed;
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var old = _catalogue.Find(id) ?? throw CatalogueErrors.Gone(id);
            changed = change(old);
            if (changed == old)
            {
                return Task.FromResult(old);
            }

            var isRenamed = changed.Name != old.Name;
            if (isRenamed && _catalogue.Find(changed.Name) is { } taken)
            {
                throw CatalogueErrors.Taken(taken.Name, taken.Id);
            }

            var revision = old.Revision + 1;
            changed = changed with { Id = id, Epoch = old.Epoch, Revision = revision, NameRevision = isRenamed ? revision : old.NameRevision };
            _file.Put(changed);
            Volatile.Write(ref _catalogue, _catalogue.With(changed));
        }

        Notify(new(id, changed));
        return Task.FromResult(changed);
    }

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(DatabaseId id, CancellationToken cancellationToken = default)
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_catalogue.Find(id) is null)
            {
                return Task.FromResult(false);
            }

            _file.Delete(id);
            Volatile.Write(ref _catalogue, _catalogue.Without(id));
        }

        Notify(new(id, null));
        return Task.FromResult(true);
    }

    /// <inheritdoc/>
    public Task<uint> TakeEpochAsync(DatabaseId id, string nodeId, uint expected, uint above, CancellationToken cancellationToken = default)
    {
        DatabaseRecord changed;
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var database = _catalogue.Find(id) ?? throw CatalogueErrors.Gone(id);
            if (database.Epoch != expected)
            {
                throw CatalogueErrors.EpochTaken(database, expected);
            }

            changed = database with { Epoch = Math.Max(expected, above) + 1, PrimaryNode = nodeId };
            _file.Put(changed);
            Volatile.Write(ref _catalogue, _catalogue.With(changed));
        }

        Notify(new(id, changed));
        return Task.FromResult(changed.Epoch);
    }

    /// <inheritdoc/>
    public Task SetFollowersAsync(
        DatabaseId id, uint epoch, ImmutableArray<FollowerPlace> followers, int quorum, CancellationToken cancellationToken = default)
    {
        DatabaseRecord changed;
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_catalogue.Find(id) is not { } database || database.Epoch != epoch
                || (database.Quorum == quorum && database.Followers.SequenceEqual(followers)))
            {
                return Task.CompletedTask;
            }

            changed = database with { Followers = followers, Quorum = quorum };
            _file.Put(changed);
            Volatile.Write(ref _catalogue, _catalogue.With(changed));
        }

        Notify(new(id, changed));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public IDisposable Watch(Action<CatalogueChange> onChange)
    {
        lock (_writing)
        {
            _watchers = _watchers.Add(onChange);
        }

        return new Subscription(this, onChange);
    }

    /// <summary>Closes the file. Lookups go on answering from memory; changes are refused.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_writing)
        {
            if (!_disposed)
            {
                _disposed = true;
                _file.Dispose();
            }
        }

        return ValueTask.CompletedTask;
    }

    private void Notify(CatalogueChange change)
    {
        foreach (var watcher in Volatile.Read(ref _watchers))
        {
            watcher(change);
        }
    }

    private sealed class Registration(EmbeddedControlPlane owner, NodeRecord node) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            lock (owner._writing)
            {
                owner._nodes = owner._nodes.Remove(node);
            }

            return ValueTask.CompletedTask;
        }
    }

    private sealed class Subscription(EmbeddedControlPlane owner, Action<CatalogueChange> onChange) : IDisposable
    {
        public void Dispose()
        {
            lock (owner._writing)
            {
                owner._watchers = owner._watchers.Remove(onChange);
            }
        }
    }
}
