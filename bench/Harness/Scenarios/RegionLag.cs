namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Confirm lag from one region to all others: writes at the rate of the options to a primary there.</summary>
internal sealed class RegionLag : IAsyncDisposable
{
    private const string Sql = "INSERT INTO t (v) VALUES (?)";

    private readonly ServerProcess _server;
    private readonly BenchOptions _options;
    private readonly BenchTable _table;
    private readonly string _value;
    private readonly CancellationToken _cancellationToken;
    private long _answered; // by Interlocked

    private RegionLag(ServerProcess server, BenchOptions options, BenchTable table, CancellationToken cancellationToken)
    {
        _server = server;
        _options = options;
        _table = table;
        _value = new string('v', options.ValueBytes);
        _cancellationToken = cancellationToken;
    }

    /// <summary>Makes a table with its primary in each of some regions, and has each written for its part of the warm-up before any is measured: a process's first writes are slow at every node that they come to.</summary>
    public static async Task<IReadOnlyDictionary<string, RegionLag>> WarmAsync(
        ServerProcess server, BenchOptions options, IReadOnlyList<string> primaries, CancellationToken cancellationToken)
    {
        var lags = new Dictionary<string, RegionLag>();
        foreach (var primary in primaries)
        {
            var table = new BenchTable(server, $"lag-{primary}", primary);
            lags.Add(primary, new RegionLag(server, options, table, cancellationToken));
            await table.CreateAsync(followers: 3, cancellationToken: cancellationToken);
            await table.CheckRowsAsync(0, cancellationToken); // all replicas are there
        }

        foreach (var lag in lags.Values)
        {
            await lag.WriteForAsync(options.Warmup / primaries.Count);
        }

        return lags;
    }

    /// <summary>Writes for the time of the options.</summary>
    /// <returns>What the replicas have seen meanwhile.</returns>
    public async Task<IReadOnlyList<LagSummary>> MeasureAsync()
    {
        await _server.ResetLagAsync();
        await WriteForAsync(_options.Duration);
        await _table.CheckRowsAsync(_answered, _cancellationToken); // the last ones are there too before the lag is read
        return await _server.LagAsync();
    }

    /// <summary>The median round trip of a bare socket from one region to another.</summary>
    public static double TripMs(ServerProcess server, string from, string to, BenchOptions options) => RoundTripLimit.Measure(
        server.NetworkOf(server.Ready.Nodes.First(node => node.Region == from)), server.All.First(process => process.Has(to)).Ready.Trip, options.LimitTime).Latency.Percentile(50) / 1e6;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _table.DisposeAsync();

    private Task<LoadResult> WriteForAsync(TimeSpan duration) => OpenLoop.RunAsync(_server, _options.Rate, duration, async () =>
    {
        // With a key, so that a node that is silent for a moment does not end the run.
        await _table.Primary.ExecuteAsync(Sql, [_value], new QueryOptions { IdempotencyKey = Guid.CreateVersion7().ToString("N") }, _cancellationToken);
        Interlocked.Increment(ref _answered);
    });
}
