using System.Diagnostics;
using System.Globalization;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The database that the scenarios fill: its primary in the first region unless another is named.</summary>
internal sealed class BenchTable(ServerProcess server, string database = BenchTable.Database, string? primaryRegion = null) : IAsyncDisposable
{
    public const string Database = "bench";
    private const int RowsPerBatch = 500;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(100);
    private static readonly QueryOptions _wait = new() { WaitTimeout = _patience, OnWaitTimeout = OnWaitTimeout.Fail }; // the copy itself is counted

    private readonly ReplicatedSqliteClient _client = server.ClientOf(NodeIn(server, primaryRegion));
    private readonly List<ReplicatedSqliteClient> _replicas = [];

    public string Name => database;

    /// <summary>Sessions at the primary.</summary>
    public ReplicatedDatabase Primary => _client.Database(database);

    /// <summary>Creates database and table.</summary>
    /// <param name="followers">0 for the cluster's default, like the next.</param>
    /// <param name="quorum">How many of them must have a write.</param>
    /// <param name="replicas">The regions of its replicas; <see langword="null"/>: all.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task CreateAsync(int followers = 0, int quorum = 0, IEnumerable<string>? replicas = null, CancellationToken cancellationToken = default)
    {
        var options = new DatabaseOptions();
        if (followers > 0)
        {
            options.Followers = (uint)followers;
        }

        if (quorum > 0)
        {
            options.Quorum = (uint)quorum;
        }

        var request = new CreateDatabaseRequest { Name = database, PrimaryRegion = NodeIn(server, primaryRegion).Region, Options = options };
        if (replicas is not null)
        {
            request.ReplicaRegions = new RegionList { Regions = { replicas } };
        }

        var started = Stopwatch.GetTimestamp();
        for (var isCreated = false; !isCreated;)
        {
            try
            {
                await _client.Admin.CreateDatabaseAsync(request, cancellationToken);
                isCreated = true;
            }
            catch (ReplicatedSqliteException e) when (e is not WriteOutcomeUnknownException && Stopwatch.GetElapsedTime(started) < _patience)
            {
                await Task.Delay(_pause, cancellationToken); // nothing was done: followers of nodes that have just started may be late
            }
        }

        await Primary.ExecuteAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT NOT NULL)", cancellationToken: cancellationToken);
    }

    /// <summary>Adds rows with the ids 1, 2, … </summary>
    public async Task FillAsync(IReadOnlyList<string> values, CancellationToken cancellationToken)
    {
        var id = 0;
        foreach (var chunk in values.Chunk(RowsPerBatch))
        {
            await Primary.BatchAsync(
                chunk.Select(value => new SqlStatement("INSERT INTO t VALUES (?, ?)", [++id, value])).ToList(), cancellationToken: cancellationToken);
        }
    }

    /// <summary>Sees to it that every copy has just so many rows.</summary>
    /// <exception cref="BenchException">One has not.</exception>
    public async Task CheckRowsAsync(long wanted, CancellationToken cancellationToken)
    {
        var bookmark = (await Primary.ExecuteAsync("SELECT 1", cancellationToken: cancellationToken)).Bookmark;
        foreach (var node in server.Ready.Nodes)
        {
            await using var client = server.ClientOf(node);
            var found = await client.Database(database).WithSession(bookmark).QueryScalarAsync<long>("SELECT count(*) FROM t", null, _wait, cancellationToken);
            if (found != wanted)
            {
                throw new BenchException(string.Create(CultureInfo.InvariantCulture, $"The copy in {node.Region} has {found} rows; {wanted} writes were answered."));
            }
        }
    }

    /// <summary>The same database through the node of another region; 0 is the primary's.</summary>
    public ReplicatedDatabase Replica(int node)
    {
        _replicas.Add(server.ClientOf(server.Ready.Nodes[node]));
        return _replicas[^1].Database(database);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var replica in _replicas)
        {
            await replica.DisposeAsync();
        }

        await _client.DisposeAsync();
    }

    private static ServerNode NodeIn(ServerProcess server, string? region) => region is null ? server.Ready.Nodes[0] : server.Ready.Nodes.First(node => node.Region == region);
}
