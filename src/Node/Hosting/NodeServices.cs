using Grpc.Health.V1;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.D1Api;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Replica;
using ReplicatedSqlite.Router;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Node;

/// <summary>The parts of a node, put together, and the services that stand before them.</summary>
internal sealed class NodeServices : IAsyncDisposable
{
    // A thread that runs SQLite computes most of its time; a few more than processors keep others going beside a long query.
    private static readonly int _threads = Math.Max(4, Environment.ProcessorCount * 2);
    private static readonly int _readerThreads = _threads * 2; // one database takes a quarter of them at most
    private static readonly LentThreads _lent = LentThreads.ForThisMachine(); // of the process, whose thread pool its nodes share

    // What health tells of; the empty name is the node as a whole.
    private static readonly string[] _served = ["", QueryMethods.Service, AdminMethods.Service];

    private readonly NodeContext _node;
    private readonly LocalCopies _copies;
    private readonly ColdStore? _cold;
    private readonly PastCopies? _past;
    private readonly FollowerUploads? _uploads;
    private readonly ColdKeeper? _keeper;
    private readonly PrimaryContext _primaries;
    private readonly RouterContext _router;
    private readonly NodeReach _reach;
    private readonly NodeMetrics _metrics;
    private readonly HealthService _health = new();
    private readonly Takeovers _takeovers;
    private readonly FollowerReplacements _replacements;
    private readonly CancellationTokenSource _stopping = new();
    private readonly IDisposable _watch;
    private CallDrain? _drain; // set by Map
    private volatile bool _isReady;

    public NodeServices(
        NodeRecord self, NodeOptions options, NodeFolder folder, FollowerNode follower, IControlPlane control, NodeMetrics metrics, NodeTls? tls,
        TimeProvider time, Random random, ILoggerFactory logging)
    {
        _metrics = metrics;
        var channels = tls is null
            ? new NodeChannels(time, nodeKey: control.NodeKey, configureQueries: options.ConfigureForwarding)
            : new NodeChannels(time, tls: tls.ToNode, configureQueries: options.ConfigureForwarding);
        var access = new AccessGuard(
            tls is null ? NodeProof.ByKey(control.NodeKey) : NodeProof.ByCertificate, control.Tokens, options.Router, time, logging.CreateLogger("ReplicatedSqlite.Access"));
        _reach = new NodeReach(self, control, channels, ReachTimes.Default, time, random, logging.CreateLogger("ReplicatedSqlite.Cluster"));
        _node = new NodeContext
        {
            Self = self,
            Control = control,
            Folder = folder,
            Follower = follower,
            Channels = channels,
            Reach = _reach,
            Writers = new BlockingWorkers($"writer {self.Region}", _threads, maxQueued: 100_000, _lent),
            Readers = new BlockingWorkers($"reader {self.Region}", _readerThreads, maxQueued: 10_000, _lent),
            Time = time,
            Logger = logging.CreateLogger("ReplicatedSqlite.Node"),
            Stopping = _stopping.Token,
        };
        var idleCheckpoints = new IdleCheckpoints(time);
        var lost = new LostFollowers(control, time, options.FollowerReplaceAfter);
        var forwarder = new PrimaryForwarder(self, control, channels, _reach, time);
        _cold = options.ColdStorage?.Open(time, random, logging.CreateLogger("ReplicatedSqlite.ColdStorage"));
        _primaries = new PrimaryContext
        {
            Cold = _cold,
            Self = self,
            Control = control,
            OwnFollower = follower,
            DistanceTo = other => _reach.RoundTripTo(other.Id),
            Stopping = _stopping.Token,
            Channels = channels,
            Lost = lost,
            Followers = new FollowerLinks(follower, control, channels, self.Id, time),
            Writers = _node.Writers,
            Readers = _node.Readers,
            IdleCheckpoints = idleCheckpoints,
            FolderOf = folder.CopyOf,
            Time = time,
            LeaseTime = NodeHost.LeaseTime(time),
            Logger = logging.CreateLogger("ReplicatedSqlite.Primary"),
            Metrics = metrics.Primary,
            Options = options.Primary,
        };
        var replicas = new ReplicaContext
        {
            Self = self,
            Forwarder = forwarder,
            Control = control,
            Channels = channels,
            Workers = _node.Readers,
            IdleCheckpoints = idleCheckpoints,
            FolderOf = folder.CopyOf,
            BootAsync = _cold is null ? null : new ReplicaBoot(_node, _cold, options.ColdStorage!).RunAsync,
            Time = time,
            Logger = logging.CreateLogger("ReplicatedSqlite.Replica"),
            Metrics = metrics.Replica,
            Options = options.Replica,
        };
        if (_cold is not null)
        {
            var archive = options.ColdStorage!;
            _past = new PastCopies(_node, _cold, Path.Combine(folder.Scratch, "past"), archive.Past, options.Replica.Readers, options.Replica.Transactions);
            _uploads = new FollowerUploads(_node, _cold, archive.FollowerLook);
            _keeper = new ColdKeeper(_node, _cold, archive);
        }

        _copies = new LocalCopies(_node, _primaries, replicas, options.GrainIdle, options.LongLogBytes);
        _router = new RouterContext
        {
            Self = self,
            Control = control,
            Primaries = _copies.Primaries,
            Replicas = _copies.Replicas,
            Channels = channels,
            Forwarder = forwarder,
            Reach = _reach,
            TransferFolder = folder.NewTransfers(),
            Workers = _node.Readers,
            RemoveLocalAsync = RemoveAsync,
            Archive = _cold is null ? null : new NodeArchive(_cold, _keeper!, folder.Scratch, options.ColdStorage!.DeletionGrace, time),
            Past = _past,
            BuryAsync = _copies.Leaderships.BuryAsync,
            MoveAsync = _copies.Leaderships.MoveAsync,
            LeadAnewAsync = database => _copies.Primaries.DeactivateAsync(database, abort: true),
            Time = time,
            Random = random,
            Access = access,
            Version = NodeHost.Version,
            SqliteVersion = SqliteVersionGate.Version,
            Metrics = metrics.Router,
            Logger = logging.CreateLogger("ReplicatedSqlite.Router"),
            Options = options.Router,
        };
        _takeovers = new Takeovers(
            new TakeoverContext
            {
                Self = self,
                Control = control,
                Followers = _primaries.Followers,
                TakeAsync = _copies.Leaderships.TakeOrPassOnAsync,
                AskAsync = _copies.Leaderships.AskToTakeOverAsync,
                Times = options.Health,
                Time = time,
                Random = random,
                Logger = _node.Logger,
                Count = metrics.CountTakeover,
            },
            follower);
        forwarder.Missing = database => _takeovers.Wanted(database);
        _replacements = new FollowerReplacements(_node, _copies, lost, options.FollowerReplaceAfter);
        metrics.Observe(self, control, follower, _copies.Primaries, _copies.Replicas);
        _watch = control.Watch(change =>
        {
            if (change.Database is null)
            {
                _ = Task.Run(() => RemoveAsync(change.Id));
            }
            else if (change.Database.PrimaryNode == self.Id)
            {
                _ = KeepRecordAsync(change.Database);
            }
            else
            {
                _ = Task.Run(() => _copies.Leaderships.StepDownAsync(change.Database));
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
            foreach (var service in _served)
            {
                _health.Set(service, value);
            }
        }
    }

    /// <summary>Adds everything to the node's endpoints.</summary>
    public void Map(WebApplication web, NodeOptions options)
    {
        web.UseHttpAccess(_router.Access);
        web.MapGet("/health/live", () => Results.Text("live\n"));
        web.MapGet("/health/ready", () => IsReady && _node.Follower.Trouble is null
            ? Results.Text("ready\n")
            : Results.Text("not ready\n", statusCode: StatusCodes.Status503ServiceUnavailable));
        web.MapGet("/metrics", _metrics.AnswerAsync);
        var grpc = web.MapGrpc(options.Grpc with { TimeProvider = _node.Time, Guard = _router.Access });
        _drain = grpc.Drain;
        _health.MapTo(grpc);
        new ReflectionService(QueryReflection.Descriptor, AdminReflection.Descriptor, HealthReflection.Descriptor).MapTo(grpc); // the public ones
        var running = new RunningQueries(_router);
        _metrics.Observe(running);
        var (queries, admin) = (new QueryService(_router, running), new AdminService(_router, running));
        queries.Map(grpc);
        admin.Map(grpc);
        new CopyService(_router).Map(grpc);
        new ReplicationService(_primaries, _copies.Primaries).Map(grpc);
        new FollowerService(_node.Follower, _reach).Map(grpc);
        new BaseService(_copies.Replicas, _node.Follower).Map(grpc);
        grpc.MapUnary(ReplicationMethods.TakeOver, (request, call) =>
        {
            if (!request.OnlyIfLost)
            {
                return _copies.Leaderships.TakeOverAsync(request, call);
            }

            if (_node.Control.Find(request.DatabaseId) is { } database && _node.Control.Nodes.All(other => other.Id != database.PrimaryNode))
            {
                _takeovers.Wanted(database, mayAsk: false);
            }

            return ValueTask.FromResult(new Internal.V1.TakeOverResponse());
        });
        grpc.MapUnary(ReplicationMethods.Ping, (_, _) => ValueTask.FromResult(_reach.Answer(isLeaving: _copies.Leaderships.IsLeaving)));
        _reach.Start();
        web.MapD1Api(new D1Node(grpc.Local, queries, admin, _node.Control, _router.Access, _router.TransferFolder, _stopping.Token), options.D1Api, _node.Time, _node.Logger);
    }

    /// <summary>Removes what a deletion, or the end of a replica, left behind when the process ended in the middle of it.</summary>
    public Task RemoveLeftoversAsync() => _copies.RemoveLeftoversAsync();

    /// <summary>Tells health, leads nothing new, and lets other nodes lead what this one leads. The node goes on answering.</summary>
    public async Task HandOverAsync(TimeSpan patience)
    {
        IsReady = false;
        _copies.Leaderships.Leave();
        _replacements.BeginStop();
        _takeovers.Dispose();
        if (patience > TimeSpan.Zero)
        {
            await new HandOver(_node, _copies).RunAsync(patience);
        }
    }

    /// <summary>Refuses new calls, gives streams this long to end, and then ends those between the nodes and the transactions.</summary>
    public async Task StopCallsAsync(TimeSpan patience)
    {
        await _stopping.CancelAsync();
        _health.Stop();
        if (_drain is { } drain)
        {
            await drain.BeginAsync(patience, _node.Time);
        }

        _copies.BeginStop();
        _node.Follower.BeginStop();
    }

    public async ValueTask DisposeAsync()
    {
        _watch.Dispose();
        await _replacements.DisposeAsync();
        await _copies.DisposeAsync();
        await _reach.DisposeAsync();
        if (_cold is not null)
        {
            await _keeper!.DisposeAsync();
            await _uploads!.DisposeAsync();
            await _past!.DisposeAsync();
            await _cold.DisposeAsync();
        }

        await _router.Access.DisposeAsync();
        await _node.Channels.DisposeAsync();
        await _node.Readers.DisposeAsync();
        await _node.Writers.DisposeAsync();
    }

    // The primary's node keeps name and settings in cold storage. What fails now is done with the next segment.
    private async Task KeepRecordAsync(DatabaseRecord database)
    {
        if (_cold is null)
        {
            return;
        }

        try
        {
            await Task.Run(() => _cold.KeepRecordAsync(ArchivedRecord.Of(database), onlyIfThere: true, _stopping.Token));
        }
        catch (Exception e) when (e is ObjectStoreException or OperationCanceledException or ObjectDisposedException)
        {
            if (!_stopping.IsCancellationRequested)
            {
                NodeLog.RecordNotKept(_node.Logger, database.Id, e.Message);
            }
        }
    }

    private Task RemoveAsync(DatabaseId database)
    {
        _takeovers.Forget(database);
        return _copies.RemoveAsync(database);
    }
}
