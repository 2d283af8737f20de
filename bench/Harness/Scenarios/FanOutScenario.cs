using System.Globalization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The same rate of writes to databases with more and more replicas: what does each further one cost the primary's process, and how far behind are many?</summary>
/// <remarks>The primary and its followers are one process, all the replicas' nodes another, so that the CPU time of the former is the primary's own.</remarks>
internal sealed class FanOutScenario : Scenario
{
    private const string Sql = "INSERT INTO t (v) VALUES (?)";
    private const string PrimaryRegion = "enam";

    public override LimitKind Limits => LimitKind.Disk | LimitKind.RoundTrip;

    public override IReadOnlyList<NodeGroup> Groups(BenchOptions options) =>
        [new([PrimaryRegion, PrimaryRegion, PrimaryRegion]), new([.. Enumerable.Range(1, options.Replicas.Max()).Select(RegionOf)], ReplicasOnly: true)];

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        var value = new string('v', options.ValueBytes);
        var all = new List<FannedOut>();
        try
        {
            foreach (var replicas in options.Replicas)
            {
                all.Add(await FannedOut.CreateAsync(server, replicas, cancellationToken));
            }

            foreach (var one in all)
            {
                await one.RunAsync(server, options, options.Warmup / all.Count, value, record: false, cancellationToken);
            }

            for (var round = 0; round < options.Rounds; round++)
            {
                foreach (var one in round % 2 == 0 ? all : all.AsEnumerable().Reverse())
                {
                    await one.RunAsync(server, options, options.Duration / options.Rounds, value, record: true, cancellationToken);
                }
            }

            foreach (var one in all)
            {
                await one.CheckAsync(server, cancellationToken);
            }
        }
        finally
        {
            foreach (var one in all)
            {
                await one.DisposeAsync();
            }
        }

        remarks.Plot(new("cpu", $"The primary's process at {options.Rate} writes/s", PlotKind.Doublings, "replicas", "CPU microseconds a write", [new("CPU", [.. all.Select(static one => (double[])[one.Replicas, one.Cpu.Median()])])]));
        remarks.Plot(new(
            "lag", $"Confirm lag at {options.Rate} writes/s", PlotKind.Doublings, "replicas", "milliseconds",
            [new("p50", [.. all.Select(static one => (double[])[one.Replicas, one.P50.Median()])]), new("p99", [.. all.Select(static one => (double[])[one.Replicas, one.P99.Median()])])]));
        var (least, most) = (all[0], all[^1]);
        var slope = (most.Cpu.Median() - least.Cpu.Median()) / Math.Max(1, most.Replicas - least.Replicas);
        var two = all.FirstOrDefault(static one => one.Replicas == 2) ?? least;
        return
        [
            .. all.SelectMany(one => one.Report(two)),
            new("primary's CPU per write for each further replica", "us/write", most.Writes, slope, null, slope, null, null),
        ];
    }

    private static string RegionOf(int number) => string.Create(CultureInfo.InvariantCulture, $"r{number}");

    private sealed class FannedOut(BenchTable table, int replicas) : IAsyncDisposable
    {
        private long _answered; // by Interlocked

        public int Replicas => replicas;

        public long Writes { get; private set; }

        public List<double> Cpu { get; } = [];

        public List<double> P50 { get; } = [];

        public List<double> P99 { get; } = [];

        public static async Task<FannedOut> CreateAsync(ServerProcess server, int replicas, CancellationToken cancellationToken)
        {
            var table = new BenchTable(server, string.Create(CultureInfo.InvariantCulture, $"fan-out-{replicas}"));
            await table.CreateAsync(followers: 3, replicas: Enumerable.Range(1, replicas).Select(RegionOf), cancellationToken: cancellationToken);
            var made = new FannedOut(table, replicas);
            await made.CheckAsync(server, cancellationToken); // and so all replicas are there
            return made;
        }

        public async Task RunAsync(ServerProcess server, BenchOptions options, TimeSpan duration, string value, bool record, CancellationToken cancellationToken)
        {
            await server.ResetLagAsync();
            var before = await server.OwnUsageAsync();
            var written = await OpenLoop.RunAsync(server, options.Rate, duration, async () =>
            {
                await table.Primary.ExecuteAsync(Sql, [value], cancellationToken: cancellationToken);
                Interlocked.Increment(ref _answered);
            });
            var after = await server.OwnUsageAsync();
            if (!record)
            {
                return;
            }

            var lags = (await server.LagAsync()).Where(static lag => lag.Count > 0).ToList();
            if (lags.Count < replicas)
            {
                throw new BenchException($"{lags.Count} regions recorded a confirm lag; {replicas} have a replica.");
            }

            Writes += written.Calls;
            Cpu.Add((after.CpuMicroseconds - before.CpuMicroseconds) / written.Calls);
            P50.Add(lags.Select(static lag => lag.P50Ms).Median());
            P99.Add(lags.Max(static lag => lag.P99Ms));
        }

        /// <summary>Every replica has every row.</summary>
        public async Task CheckAsync(ServerProcess server, CancellationToken cancellationToken)
        {
            var bookmark = (await table.Primary.ExecuteAsync("SELECT 1", cancellationToken: cancellationToken)).Bookmark;
            for (var i = 1; i <= replicas; i++)
            {
                await using var client = server.ClientOf(server.Ready.Nodes.First(node => node.Region == RegionOf(i)));
                var session = client.Database(table.Name).WithSession(bookmark);
                SqlResponse? found = null;
                await Programs.UntilAsync( // a replica that is late is answered for by the primary
                    async () => !(found = await session.ExecuteAsync("SELECT count(*) FROM t", cancellationToken: cancellationToken)).Served.Primary,
                    string.Create(CultureInfo.InvariantCulture, $"replica {i} of {replicas} answers for itself"));
                if (found!.First.Rows[0].GetInt64(0) != _answered)
                {
                    throw new BenchException(string.Create(CultureInfo.InvariantCulture, $"Replica {i} of {replicas} has {found.First.Rows[0].GetInt64(0)} rows; {_answered} writes were answered."));
                }
            }
        }

        public IEnumerable<BenchResult> Report(FannedOut two)
        {
            var of = replicas == 1 ? "1 replica" : string.Create(CultureInfo.InvariantCulture, $"{replicas} replicas");
            yield return new($"confirm lag, {of}: median of the regions", "ms", Writes, P50.Median(), null, P50.Average(), null, null, Spread: P50.Spread()) { Against = LimitKind.RoundTrip };
            yield return new($"confirm lag, {of}: 99th percentile of the slowest region", "ms", Writes, P99.Median(), P99.Median(), P99.Average(), two.P99.Median(), P99.Zip(two.P99, static (own, least) => own / least).Median(), Spread: P99.Spread());
            yield return new($"primary's CPU per write, {of}", "us/write", Writes, Cpu.Median(), null, Cpu.Average(), null, null, Spread: Cpu.Spread());
        }

        public ValueTask DisposeAsync() => table.DisposeAsync();
    }
}
