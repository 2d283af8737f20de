namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Confirm lag from one region to all others: writes at the rate of the options to a primary there.</summary>
internal sealed class RegionLag : IAsyncDisposable
{
    private const string Sql = "INSERT INTO t (v) VALUES (?)";

    private static readonly TimeSpan _first = TimeSpan.FromSeconds(1); // of a database's life, with its connections' first packets

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

    /// <summary>Has each region lead and be written for its part of the warm-up, so that none is measured with a process's first writes, which are slow at every node that they come to.</summary>
    public static async Task WarmAsync(ServerProcess server, BenchOptions options, IReadOnlyList<string> primaries, CancellationToken cancellationToken)
    {
        foreach (var primary in primaries)
        {
            await using var lag = await CreateAsync(server, options, $"warm-{primary}", primary, cancellationToken);
            await lag.WriteForAsync(options.Warmup / primaries.Count);
        }
    }

    /// <summary>Writes to a primary in one region for the time of the options.</summary>
    /// <returns>What the replicas have seen meanwhile.</returns>
    public static async Task<IReadOnlyList<LagSummary>> MeasureAsync(ServerProcess server, BenchOptions options, string primary, CancellationToken cancellationToken)
    {
        await using var lag = await CreateAsync(server, options, $"lag-{primary}", primary, cancellationToken);
        await lag.WriteForAsync(_first);
        await server.ResetLagAsync();
        await lag.WriteForAsync(options.Duration);
        await lag._table.CheckRowsAsync(lag._answered, cancellationToken); // the last ones are there too before the lag is read
        return await server.LagAsync();
    }

    /// <summary>The median round trip of a bare socket from one region to another.</summary>
    public static double TripMs(ServerProcess server, string from, string to, BenchOptions options) => RoundTripLimit.Measure(
        server.NetworkOf(server.Ready.Nodes.First(node => node.Region == from)), server.All.First(process => process.Has(to)).Ready.Trip, options.LimitTime).Latency.Percentile(50) / 1e6;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _table.DisposeAsync();

    private static async Task<RegionLag> CreateAsync(ServerProcess server, BenchOptions options, string name, string primary, CancellationToken cancellationToken)
    {
        var table = new BenchTable(server, name, primary);
        await table.CreateAsync(followers: 3, cancellationToken: cancellationToken);
        await table.CheckRowsAsync(0, cancellationToken); // all replicas are there
        return new RegionLag(server, options, table, cancellationToken);
    }

    private Task<LoadResult> WriteForAsync(TimeSpan duration) => OpenLoop.RunAsync(_server, _options.Rate, duration, async () =>
    {
        // With a key, so that a node that is silent for a moment does not end the run.
        await _table.Primary.ExecuteAsync(Sql, [_value], new QueryOptions { IdempotencyKey = Guid.CreateVersion7().ToString("N") }, _cancellationToken);
        Interlocked.Increment(ref _answered);
    });
}
