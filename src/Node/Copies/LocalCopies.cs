using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Replica;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Node;

/// <summary>The copies on this node: their grains, and the files that they leave.</summary>
/// <remarks>A copy has one role. Whoever begins has the turn and ends the other role's grain first, readers and all, since both use the same file. Safe for use by any thread.</remarks>
internal sealed class LocalCopies : IAsyncDisposable
{
    private readonly NodeContext _node;
    private readonly PrimaryContext _primaryContext;
    private readonly ReplicaContext _replicaContext;
    private readonly CopyRoles _roles = new();
    private readonly SemaphoreSlim _removing = new(1);
    private readonly LongLogs _longLogs;

    public LocalCopies(NodeContext node, PrimaryContext primaryContext, ReplicaContext replicaContext, TimeSpan idle, long longLogBytes)
    {
        _node = node;
        _primaryContext = primaryContext;
        _replicaContext = replicaContext;
        Primaries = new(OpenPrimaryAsync, node.Time, idle, _roles.EnterAsync);
        Replicas = new(OpenReplicaAsync, node.Time, idle, _roles.EnterAsync);
        Leaderships = new Leaderships(node, primaryContext, this);
        _longLogs = new LongLogs(node, Replicas, database => PrimaryGrain.BaseOf(primaryContext, database), longLogBytes, keepsBases: primaryContext.Cold is null);
    }

    /// <summary>Of the databases that this node leads.</summary>
    public GrainDirectory<IDatabaseCopy> Primaries { get; }

    /// <summary>Of the others.</summary>
    public GrainDirectory<IDatabaseCopy> Replicas { get; }

    /// <summary>How leaderships come and go.</summary>
    public Leaderships Leaderships { get; }

    /// <summary>Waits for the turn to give a copy its role, which ends when the result is disposed.</summary>
    public Task<IDisposable> EnterAsync(DatabaseId database, CancellationToken cancellationToken) => _roles.EnterAsync(database, cancellationToken);

    /// <summary>Whether this node is to have no copy, by what the catalogue says. It may keep one as a follower.</summary>
    public bool HasNoReplicaOf(DatabaseRecord database) =>
        database.PrimaryNode != _node.Self.Id && !database.HasReplicaOn(_node.Self);

    /// <summary>The catalogue says already that there is no replica here: whoever comes from now on is passed on to the primary, and those who wait here are too.</summary>
    public async Task EndReplicaAsync(DatabaseId database)
    {
        try
        {
            _longLogs.Release(database);
            await Replicas.DeactivateAsync(database);
            using var turn = await _roles.EnterAsync(database, CancellationToken.None);

            // If it is wanted again by now, its grain waits for us, or has its files open and keeps them.
            if (MayRemoveCopyOf(database))
            {
                await _node.Readers.RunAsync(() => _node.Folder.Remove(database));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or RequestException or ObjectDisposedException)
        {
            NodeLog.ReplicaRemovalFailed(_node.Logger, database, e);
        }
    }

    /// <summary>The catalogue has forgotten it; what is left of it here is only in the way. What fails now is done at the next start.</summary>
    public async Task RemoveAsync(DatabaseId database)
    {
        _longLogs.Release(database);
        await _removing.WaitAsync(); // the request that deletes and the catalogue's watch both come here
        try
        {
            await Replicas.DeactivateAsync(database);
            await Primaries.DeactivateAsync(database);
            await _node.Follower.ForgetAsync(database);
            await _node.Writers.RunAsync(() => _node.Folder.Remove(database));
        }
        catch (Exception e) when (e is IOException or JournalException or RequestException or ObjectDisposedException)
        {
            NodeLog.RemovalFailed(_node.Logger, database, e);
        }
        finally
        {
            _removing.Release();
        }
    }

    /// <summary>Removes what a deletion, or the end of a replica, left behind when the process ended in the middle of it.</summary>
    public async Task RemoveLeftoversAsync()
    {
        foreach (var database in _node.Folder.Databases().Where(id => _node.Control.Find(id) is { } record && HasNoReplicaOf(record)).ToList())
        {
            await EndReplicaAsync(database);
        }

        foreach (var database in _node.Folder.Databases().Concat(_node.Follower.OpenedJournal?.Databases ?? []).Distinct().Where(id => _node.Control.Find(id) is null).ToList())
        {
            if (_node.Control.IsDeleted(database))
            {
                await RemoveAsync(database);
            }
            else
            {
                NodeLog.UnknownDatabase(_node.Logger, database);
            }
        }
    }

    /// <summary>Tells all grains to end what would keep them in use.</summary>
    public void BeginStop()
    {
        _longLogs.BeginStop();
        Replicas.BeginStop();
        Primaries.BeginStop();
    }

    public async ValueTask DisposeAsync()
    {
        await _longLogs.DisposeAsync();
        try
        {
            await Replicas.DisposeAsync();
        }
        finally
        {
            await Primaries.DisposeAsync(); // a copy that closes badly must not keep the others open
            _removing.Dispose();
        }
    }

    private bool Follows(DatabaseRecord database) => database.Followers.Any(follower => follower.NodeId == _node.Self.Id);

    // The copy of a node that follows is what the log may be trimmed for; the primary's is the primary's.
    private bool MayRemoveCopyOf(DatabaseId database) =>
        _node.Control.Find(database) is { } record && HasNoReplicaOf(record) && !Follows(record)
        && _node.Follower.OpenedJournal?.LastOf(database) == Position.Start && !Replicas.Active.Contains(database) && !Primaries.Active.Contains(database);

    private async Task<IDatabaseCopy> OpenPrimaryAsync(DatabaseId database, CancellationToken cancellationToken)
    {
        Leaderships.CheckMayLead(database);
        if (Leaderships.Inability is { } trouble)
        {
            throw await Leaderships.PassOnAsync(database, onlyWithCopy: true, cancellationToken) || await Leaderships.PassOnAsync(database, onlyWithCopy: false, cancellationToken)
                ? Forwarding.Moved(database)
                : new RequestException(ErrorCodes.NoPrimary, $"This node cannot lead {database}, and no other could take it over: {trouble} Nothing was done; try again.");
        }

        await Replicas.DeactivateAsync(database, abort: true);
        Leaderships.CheckMayLead(database); // that may have taken a while
        return await OpenAsync(database, PrimaryGrain.ActivateAsync(_primaryContext, database, cancellationToken));
    }

    private async Task<IDatabaseCopy> OpenReplicaAsync(DatabaseId database, CancellationToken cancellationToken)
    {
        if (_node.Control.Find(database) is { } record && (record.PrimaryNode == _node.Self.Id || (HasNoReplicaOf(record) && !Follows(record))))
        {
            throw new RequestException(
                ErrorCodes.CopyStale,
                record.PrimaryNode == _node.Self.Id
                    ? $"This node has become the primary of '{record.Name}'. Nothing was done; try again."
                    : $"This node does not keep a replica of '{record.Name}' any more. Nothing was done; try again.");
        }

        await Primaries.DeactivateAsync(database, abort: true);
        return await OpenAsync(database, ReplicaGrain.ActivateAsync(_replicaContext, database));
    }

    // What the disk or SQLite says while a copy is opened reaches the caller as a refusal in the contract's words, and the log whole.
    private async Task<IDatabaseCopy> OpenAsync(DatabaseId database, Task<IDatabaseCopy> activation)
    {
        try
        {
            return await activation;
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException or JournalException or InvalidDataException)
        {
            NodeLog.OpeningFailed(_node.Logger, database, e);
            throw new RequestException(
                ErrorCodes.NoPrimary, $"This node could not open its copy of {database}: {e.Message} Nothing was done; its log says more.");
        }
    }
}
