using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Node;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A cluster of three regions in this process, on free ports, in a folder of its own. It can be stopped and started again on the same files.</summary>
internal sealed class ClusterFixture : IAsyncDisposable
{
    public const int Enam = 0;
    public const int Weur = 1;
    public const int Apac = 2;
    public const int RegionCount = 3;

    private static readonly QueryOptions _byThisCopy = new() { WaitTimeout = Eventually.Patience, OnWaitTimeout = OnWaitTimeout.Fail };

    private readonly TemporaryFolder _folder = new();
    private readonly Func<LocalClusterOptions, LocalClusterOptions> _configure;
    private readonly ILoggerFactory _logging;
    private readonly Random _random;
    private readonly ClusterAccess _access;
    private readonly List<ReplicatedSqliteClient> _clients = [];
    private readonly List<GrpcChannel> _channels = [];
    private LocalCluster? _cluster;

    private ClusterFixture(Func<LocalClusterOptions, LocalClusterOptions> configure, int seed, ClusterAccess access)
    {
        _configure = configure;
        _random = new Random(seed);
        _access = access;
        Log = new KeptLog(access.LogFrom);
        _logging = LoggerFactory.Create(logging => logging.SetMinimumLevel(access.LogFrom).AddProvider(Log));
    }

    public KeptLog Log { get; }

    public string Folder => _folder.Path;

    public static async Task<ClusterFixture> StartAsync(Func<LocalClusterOptions, LocalClusterOptions>? configure = null, int seed = 1, ClusterAccess? access = null)
    {
        var fixture = new ClusterFixture(configure ?? (static options => options), seed, access ?? new ClusterAccess());
        try
        {
            await fixture.StartAgainAsync();
            return fixture;
        }
        catch
        {
            await fixture.DisposeAsync();
            throw;
        }
    }

    /// <summary>A client of one region's node.</summary>
    public ReplicatedSqliteClient Client(int region) => _clients[region];

    /// <summary>The bare way to one region's node.</summary>
    public GrpcChannel Channel(int region) => _channels[region];

    /// <summary>For calls as nodes make them among themselves.</summary>
    public CallOptions AsNode => new() { Headers = new Metadata { { NodeKey.Header, _cluster!.NodeKey } } };

    public NodeRecord Node(int region) => _cluster!.Nodes[region];

    /// <summary>The journals that follow a database, as the catalogue has it.</summary>
    public IReadOnlySet<Guid> Followers(string database) => _cluster!.Control.Find(database)!.Followers.Select(place => place.Journal).ToHashSet();

    /// <summary>A node's log of a database: where it begins, and its bytes.</summary>
    public (Position First, long Bytes) LogOf(int region, string databaseId)
    {
        var id = new DatabaseId(Guid.Parse(databaseId));
        var journal = _cluster!.Follower(region).OpenedJournal!;
        return (journal.FirstOf(id), journal.BytesOf(id));
    }

    /// <summary>A database's epoch, as the catalogue has it: nobody begins to lead for the question.</summary>
    public uint Epoch(string database) => _cluster!.Control.Find(database)!.Epoch;

    /// <summary>A database through one region, outside any session.</summary>
    public ReplicatedDatabase Database(int region, string name) => Client(region).Database(name);

    /// <summary>A session through one region that goes on from a bookmark.</summary>
    public Session At(int region, string database, Bookmark bookmark) => Client(region).Database(database).WithSession(bookmark);

    public async Task StartAgainAsync()
    {
        _cluster = await LocalCluster.StartAsync(_configure(new LocalClusterOptions { DataFolder = Folder }), TimeProvider.System, _random, _logging);
        foreach (var node in _cluster.Nodes)
        {
            _clients.Add(_access.Connect(node));
            _channels.Add(_access.Open(node.GrpcAddress));
        }
    }

    /// <summary>One node goes away; the others go on.</summary>
    public Task StopNodeAsync(int region) => _cluster!.StopNodeAsync(region).AsTask().InTimeAsync(TimeSpan.FromSeconds(90));

    /// <summary>It comes back, on other ports.</summary>
    public async Task StartNodeAsync(int region)
    {
        await _cluster!.StartNodeAsync(region);
        await _clients[region].DisposeAsync();
        await _channels[region].DisposeAsync();
        _clients[region] = _access.Connect(Node(region));
        _channels[region] = _access.Open(Node(region).GrpcAddress);
    }

    public async Task StopAsync()
    {
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }

        foreach (var channel in _channels)
        {
            await channel.DisposeAsync();
        }

        _clients.Clear();
        _channels.Clear();
        if (_cluster is { } cluster)
        {
            _cluster = null;
            await cluster.DisposeAsync().AsTask().InTimeAsync(TimeSpan.FromSeconds(90));
        }
    }

    /// <summary>The file of a copy.</summary>
    public string PrimaryFile(string databaseId, int region = Enam) => Path.Combine(Folder, RegionName(region), "copies", databaseId, "db.sqlite");

    /// <inheritdoc cref="PrimaryFile"/>
    public string ReplicaFile(string databaseId, int region) => Path.Combine(Folder, RegionName(region), "copies", databaseId, "db.sqlite");

    public string JournalFolder(int region) => Path.Combine(Folder, RegionName(region), "journal");

    /// <summary>Waits until every region shows everything that is written now.</summary>
    /// <returns>What they show at least.</returns>
    public async Task<Bookmark> SettleAsync(string database)
    {
        var bookmark = await Client(Enam).Admin.GetBookmarkAsync(database);
        for (var region = 0; region < RegionCount; region++)
        {
            await At(region, database, bookmark).QueryAsync("SELECT 1 FROM sqlite_schema", null, _byThisCopy);
        }

        return bookmark;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _logging.Dispose();
        _folder.Dispose();
    }

    private static string RegionName(int region) => new LocalClusterOptions { DataFolder = "" }.Regions[region];
}
