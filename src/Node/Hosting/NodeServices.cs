using System.Collections.Concurrent;
using Grpc.Health.V1;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Replica;
using ReplicatedSqlite.Router;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Node;

/// <summary>The grains of a node and the services that stand before them.</summary>
internal sealed class NodeServices : IAsyncDisposable
{
    // A thread that runs SQLite computes most of its time; a few more than processors keep others going beside a long query.
    private static readonly int _threads = Math.Max(4, Environment.ProcessorCount * 2);
    private static readonly int _readerThreads = _threads * 2; // one database takes a quarter of them at most

    private static readonly CallOptions _patienceWithTakeover = new() { Timeout = TimeSpan.FromSeconds(15) };

    // What health tells of; the empty name is the node as a whole.
    private static readonly string[] _served = ["", QueryMethods.Service, AdminMethods.Service];

    private readonly NodeFolder _folder;
    private readonly FollowerNode _follower;
    private readonly IControlPlane _control;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BlockingWorkers _writers;
    private readonly BlockingWorkers _readers;
    private readonly NodeChannels _channels;
    private readonly GrainDirectory<IDatabaseCopy> _primaries;
    private readonly GrainDirectory<IDatabaseCopy> _replicas;
    private readonly PrimaryContext _primaryContext;
    private readonly RouterContext _routerContext;
    private readonly HealthService _health = new();
    private CallDrain? _drain; // set by Map
    private readonly SemaphoreSlim _removing = new(1);
    private readonly CopyRoles _roles = new();
    private readonly ConcurrentDictionary<DatabaseId, uint> _taking = new(); // this node is about to take the epoch after this one
    private readonly Takeovers _takeovers;
    private readonly CancellationTokenSource _stopping = new();
    private readonly IDisposable _watch;
    private volatile bool _isReady;

    public NodeServices(
        NodeRecord self, NodeOptions options, NodeFolder folder, FollowerNode follower, IControlPlane control, TimeProvider time, Random random, ILoggerFactory logging)
    {
        _folder = folder;
        _follower = follower;
        _control = control;
        _time = time;
        _logger = logging.CreateLogger("ReplicatedSqlite.Node");
        _writers = new BlockingWorkers($"writer {self.Region}", _threads, maxQueued: 100_000);
        _readers = new BlockingWorkers($"reader {self.Region}", _readerThreads, maxQueued: 10_000);
        _channels = new NodeChannels(time, options.ConfigureForwarding);
        var forwarder = new PrimaryForwarder(self, control, _channels);
        _primaryContext = new PrimaryContext
        {
            Self = self,
            Control = control,
            OwnFollower = follower,
            Stopping = _stopping.Token,
            Followers = new FollowerLinks(follower, control, _channels, self.Id, time),
            Writers = _writers,
            Readers = _readers,
            FolderOf = folder.CopyOf,
            Time = time,
            LeaseTime = NodeHost.LeaseTime(time),
            Logger = logging.CreateLogger("ReplicatedSqlite.Primary"),
            Options = options.Primary,
        };
        var replicaContext = new ReplicaContext
        {
            Self = self,
            Forwarder = forwarder,
            Control = control,
            Channels = _channels,
            Workers = _readers,
            FolderOf = folder.CopyOf,
            Time = time,
            Logger = logging.CreateLogger("ReplicatedSqlite.Replica"),
            Options = options.Replica,
        };
        _primaries = new(OpenPrimaryAsync, time, options.GrainIdle, _roles.EnterAsync);
        _replicas = new((id, cancellation) => OpenReplicaAsync(id, replicaContext, cancellation), time, options.GrainIdle, _roles.EnterAsync);
        _routerContext = new RouterContext
        {
            Self = self,
            Control = control,
            Primaries = _primaries,
            Replicas = _replicas,
            Channels = _channels,
            Forwarder = forwarder,
            RemoveLocalAsync = RemoveAsync,
            BuryAsync = BuryAsync,
            MoveAsync = MoveAsync,
            LeadAnewAsync = database => _primaries.DeactivateAsync(database, abort: true),
            Time = time,
            Random = random,
            Version = NodeHost.Version,
            SqliteVersion = SqliteVersionGate.Version,
            Options = options.Router,
        };
        _takeovers = new Takeovers(
            new TakeoverContext
            {
                Self = self, Control = control, Followers = _primaryContext.Followers, TakeAsync = TakeOrPassOnAsync, Time = time, Random = random, Logger = _logger,
            },
            follower);
        forwarder.Missing = _takeovers.Wanted;
        _watch = control.Watch(change =>
        {
            if (change.Database is null)
            {
                _ = Task.Run(() => RemoveAsync(change.Id));
            }
            else if (change.Database.PrimaryNode != self.Id)
            {
                _ = Task.Run(() => StepDownAsync(change.Database));
            }
        });
    }

    /// <summary>The node takes calls. Health says so.</summary>
    public bool IsReady
    {
        get => _isReady;
        set
        {
            _isReady = value;
            foreach (var service in _served) _health.Set(service, value);
        }
    }

    /// <summary>Adds everything to the node's endpoints.</summary>
    public void Map(WebApplication web, NodeOptions options)
    {
        web.MapGet("/health/live", () => Results.Text("live\n"));
        web.MapGet("/health/ready", () => IsReady && _follower.Trouble is null
            ? Results.Text("ready\n")
            : Results.Text("not ready\n", statusCode: StatusCodes.Status503ServiceUnavailable));
        var grpc = web.MapGrpc(options.Grpc with { TimeProvider = _time });
        _drain = grpc.Drain;
        _health.MapTo(grpc);
        new ReflectionService(QueryReflection.Descriptor, AdminReflection.Descriptor, HealthReflection.Descriptor).MapTo(grpc); // the public ones
        new QueryService(_routerContext).Map(grpc);
        new AdminService(_routerContext).Map(grpc);
        new CopyService(_routerContext).Map(grpc);
        new ReplicationService(_primaryContext, _primaries).Map(grpc);
        new FollowerService(_follower).Map(grpc);
        grpc.MapUnary(ReplicationMethods.TakeOver, TakeOverAsync);
    }

    /// <summary>Tells health, refuses new calls, gives streams this long to end, and then ends those between the nodes and the transactions.</summary>
    public async Task StopCallsAsync(TimeSpan patience)
    {
        _isReady = false;
        await _stopping.CancelAsync();
        _takeovers.Dispose();
        _health.Stop();
        if (_drain is { } drain) await drain.BeginAsync(patience, _time);
        _replicas.BeginStop();
        _primaries.BeginStop();
        _follower.BeginStop();
    }

    public async ValueTask DisposeAsync()
    {
        _watch.Dispose();
        await _replicas.DisposeAsync();
        await _primaries.DisposeAsync();
        await _channels.DisposeAsync();
        await _readers.DisposeAsync();
        await _writers.DisposeAsync();
        _removing.Dispose();
    }

    private bool HasNoReplicaOf(DatabaseRecord database) => database.PrimaryNode != _routerContext.Self.Id && !database.HasReplicaIn(_routerContext.Self.Region);

    // The copy of a node that follows is what the log may be trimmed for; the primary's is the primary's.
    private bool MayRemoveCopyOf(DatabaseId database) =>
        _control.Find(database) is { } record && HasNoReplicaOf(record) && record.Followers.All(follower => follower.NodeId != _routerContext.Self.Id)
        && _follower.OpenedJournal?.LastOf(database) == Position.Start && !_replicas.Active.Contains(database) && !_primaries.Active.Contains(database);

    // A copy has one role. Whoever begins has the turn and ends the other role's grain first, readers and all, since both use the same file.
    private async Task<IDatabaseCopy> OpenPrimaryAsync(DatabaseId database, CancellationToken cancellationToken)
    {
        CheckMayLead(database);
        if (_follower.Trouble is { } trouble)
        {
            throw await PassOnAsync(database, cancellationToken)
                ? Forwarding.Moved(database)
                : new RequestException(ErrorCodes.NoPrimary, $"This node cannot lead {database}, and no other could take it over: {trouble} Nothing was done; try again.");
        }

        await _replicas.DeactivateAsync(database, abort: true);
        CheckMayLead(database); // that may have taken a while
        return await OpenAsync(database, PrimaryGrain.ActivateAsync(_primaryContext, database, cancellationToken));
    }

    private async Task<IDatabaseCopy> OpenReplicaAsync(DatabaseId database, ReplicaContext context, CancellationToken cancellationToken)
    {
        if (_control.Find(database) is { } record && (record.PrimaryNode == _routerContext.Self.Id || HasNoReplicaOf(record)))
        {
            throw new RequestException(
                ErrorCodes.CopyStale,
                record.PrimaryNode == _routerContext.Self.Id
                    ? $"This node has become the primary of '{record.Name}'. Nothing was done; try again."
                    : $"This node does not keep a replica of '{record.Name}' any more. Nothing was done; try again.");
        }

        await _primaries.DeactivateAsync(database, abort: true);
        return await OpenAsync(database, ReplicaGrain.ActivateAsync(context, database));
    }

    // While it waited, another node may have begun to lead; whoever asked looks again. A takeover goes on from the epoch that was found lost, and from no other.
    private void CheckMayLead(DatabaseId database)
    {
        if (_control.Find(database) is { } record && record.PrimaryNode != _routerContext.Self.Id
            && !(_taking.TryGetValue(database, out var seen) && (record.Epoch == seen || _control.Nodes.All(node => node.Id != record.PrimaryNode))))
        {
            throw Forwarding.Moved(database);
        }
    }

    // Whoever lost a leader, or was handed a leadership, comes here. The catalogue's compare-and-swap decides between several.
    private async Task<bool> TakeAsync(DatabaseId database, uint seen, CancellationToken cancellationToken)
    {
        if (_stopping.IsCancellationRequested || !CanBegin(database) || _control.Find(database) is not { } record
            || (record.Epoch != seen && _control.Nodes.Any(node => node.Id == record.PrimaryNode)) || !_taking.TryAdd(database, seen))
        {
            return false; // somebody was quicker, or has to do it
        }

        try
        {
            using var lease = await _primaries.UseAsync(database, cancellationToken);
            return true;
        }
        finally
        {
            _taking.TryRemove(database, out _);
        }
    }

    // A follower that never had a copy cannot lead once the log's beginning is gone: one that has is asked to.
    private async Task<bool> TakeOrPassOnAsync(DatabaseId database, uint seen, CancellationToken cancellationToken)
    {
        if (CanBegin(database))
        {
            return await TakeAsync(database, seen, cancellationToken);
        }

        await PassOnAsync(database, cancellationToken);
        return false;
    }

    private bool CanBegin(DatabaseId database)
    {
        try
        {
            return PrimaryGrain.CanBegin(_primaryContext, database);
        }
        catch (JournalException)
        {
            return true; // who begins is told what is wrong
        }
    }

    // A node without a journal can lead nothing: whoever else follows the database is asked to.
    private async Task<bool> PassOnAsync(DatabaseId database, CancellationToken cancellationToken)
    {
        if (_control.Find(database) is not { } record)
        {
            return false;
        }

        foreach (var node in _control.Nodes.Where(node => node.Id != _routerContext.Self.Id && record.Followers.Any(place => place.Journal == node.JournalId)))
        {
            try
            {
                await _channels.ForQueries(node).CallAsync(ReplicationMethods.TakeOver, TakeOver(database, record.Epoch), _patienceWithTakeover, cancellationToken);
                return true;
            }
            catch (RpcException failure)
            {
                NodeLog.TakeoverFailed(_logger, database, $"{node.Id}: {failure.Detail}");
            }
        }

        return false;
    }

    private static TakeOverRequest TakeOver(DatabaseId database, uint epoch) => new() { DatabaseId = database.ToString(), Epoch = epoch };

    private async Task MoveAsync(DatabaseRecord database, string region, CancellationToken cancellationToken)
    {
        var target = _control.Nodes
            .Where(node => node.Region == region)
            .OrderByDescending(node => database.Followers.Any(place => place.NodeId == node.Id))
            .FirstOrDefault() ?? throw new RequestException(ErrorCodes.InvalidRequest, $"There is no node in region '{region}'. Nothing was done.");
        if (target.Id == _routerContext.Self.Id)
        {
            return;
        }

        using var lease = await _primaries.UseAsync(database.Id, cancellationToken);
        using var turn = await _roles.EnterAsync(database.Id, cancellationToken); // no request begins another leadership here in between
        var epoch = await ((PrimaryGrain)lease.Grain).ResignAsync(cancellationToken);

        try
        {
            await _channels.ForQueries(target).CallAsync(ReplicationMethods.TakeOver, TakeOver(database.Id, epoch), _patienceWithTakeover, cancellationToken);
        }
        catch (RpcException failure)
        {
            throw PrimaryForwarder.Translate(failure, readsOnly: true) ?? new RequestException(
                ErrorCodes.NoPrimary, $"Node {target.Id} could not take '{database.Name}' over ({failure.Detail}). The next request finds who leads it.");
        }

        await _control.UpdateAsync(database.Id, record => record with { PrimaryRegion = region }, cancellationToken);
    }

    private async ValueTask<TakeOverResponse> TakeOverAsync(TakeOverRequest request, ServerCallContext call)
    {
        var database = new DatabaseId(Guid.Parse(request.DatabaseId));
        return await TakeAsync(database, request.Epoch, call.CancellationToken)
            ? new TakeOverResponse()
            : throw new RequestException(ErrorCodes.NoPrimary, $"{database} is led in another epoch than {request.Epoch} already. Nothing was done; try again.");
    }

    private async Task BuryAsync(DatabaseId database, CancellationToken cancellationToken)
    {
        using var turn = await _roles.EnterAsync(database, cancellationToken);
        await _primaries.DeactivateAsync(database, abort: true);
        await Burial.RunAsync(_primaryContext, database, cancellationToken);
    }

    // Another node leads: what is left of this one's leadership ends at once, whatever it believes.
    private async Task StepDownAsync(DatabaseRecord database)
    {
        try
        {
            if (_control.Find(database.Id)?.PrimaryNode == _routerContext.Self.Id)
            {
                return; // it leads again by now
            }

            await _primaries.DeactivateAsync(database.Id, abort: true);
        }
        catch (Exception e) when (e is IOException or JournalException or RequestException or ObjectDisposedException)
        {
            NodeLog.StepDownFailed(_logger, database.Id, e);
        }

        if (HasNoReplicaOf(database))
        {
            await EndReplicaAsync(database.Id);
        }
    }

    // The catalogue says already that there is none: whoever comes from now on is passed on to the primary, and those who wait here are too.
    private async Task EndReplicaAsync(DatabaseId database)
    {
        try
        {
            await _replicas.DeactivateAsync(database);
            using var turn = await _roles.EnterAsync(database, CancellationToken.None);

            // If it is wanted again by now, its grain waits for us, or has its files open and keeps them.
            if (MayRemoveCopyOf(database))
            {
                await _readers.RunAsync(() => _folder.Remove(database));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or RequestException or ObjectDisposedException)
        {
            NodeLog.ReplicaRemovalFailed(_logger, database, e);
        }
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
            NodeLog.OpeningFailed(_logger, database, e);
            throw new RequestException(
                ErrorCodes.NoPrimary, $"This node could not open its copy of {database}: {e.Message} Nothing was done; its log says more.");
        }
    }

    // The catalogue has forgotten it; what is left of it here is only in the way. What fails now is done at the next start.
    private async Task RemoveAsync(DatabaseId database)
    {
        _takeovers.Forget(database);
        await _removing.WaitAsync(); // the request that deletes and the catalogue's watch both come here
        try
        {
            await _replicas.DeactivateAsync(database);
            await _primaries.DeactivateAsync(database);
            await _follower.ForgetAsync(database);
            await _writers.RunAsync(() => _folder.Remove(database));
        }
        catch (Exception e) when (e is IOException or JournalException or RequestException or ObjectDisposedException)
        {
            NodeLog.RemovalFailed(_logger, database, e);
        }
        finally
        {
            _removing.Release();
        }
    }

    /// <summary>Removes what a deletion, or the end of a replica, left behind when the process ended in the middle of it.</summary>
    public async Task RemoveLeftoversAsync()
    {
        foreach (var database in _folder.Databases().Where(id => _control.Find(id) is { } record && HasNoReplicaOf(record)).ToList())
        {
            await EndReplicaAsync(database);
        }

        foreach (var database in _folder.Databases().Concat(_follower.OpenedJournal?.Databases ?? []).Distinct().Where(id => _control.Find(id) is null).ToList())
        {
            if (_control.IsDeleted(database))
            {
                await RemoveAsync(database);
            }
            else
            {
                NodeLog.UnknownDatabase(_logger, database);
            }
        }
    }
}
