using System.Diagnostics;
using System.Globalization;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Writes go on at a fixed rate while the primary is moved, and while its process is killed: how long is there no answer? Every write has a key and is there once afterwards.</summary>
internal sealed class FailoverScenario : Scenario
{
    private const string Sql = "INSERT INTO t (v) VALUES (?)";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    public override LimitKind Limits => LimitKind.Disk;

    public override IReadOnlyList<NodeGroup> Groups(BenchOptions options) => [.. options.Regions.Select(static region => new NodeGroup([region]))];

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        await using var table = new BenchTable(server);
        await table.CreateAsync(followers: Math.Min(3, options.Regions.Count | 1), cancellationToken: cancellationToken);
        await table.CheckRowsAsync(0, cancellationToken);
        await using var client = new ReplicatedSqliteClient(
            server.Ready.Nodes.Select(static node => $"{node.Grpc.Host}:{node.Grpc.Port}"), new ReplicatedSqliteClientOptions { RetryTimeout = _patience, Channel = server.Network.Channel });
        var database = client.Database(BenchTable.Database);
        long answered = 0;
        var lastAnswer = Stopwatch.GetTimestamp();
        var longest = TimeSpan.Zero;
        var gate = new Lock();
        async Task WriteAsync()
        {
            var key = Guid.CreateVersion7().ToString("N");
            await database.ExecuteAsync(Sql, [key], new QueryOptions { IdempotencyKey = key }, cancellationToken);
            lock (gate)
            {
                answered++;
                var now = Stopwatch.GetTimestamp();
                var pause = Stopwatch.GetElapsedTime(lastAnswer, now);
                longest = pause > longest ? pause : longest;
                lastAnswer = now;
            }
        }

        var during = TimeSpan.FromSeconds(Math.Max(0.8, options.Duration.TotalSeconds / 2)); // long enough to be disturbed
        async Task<(LoadResult Load, TimeSpan Pause)> DuringAsync(Func<Task> disturb)
        {
            await OpenLoop.RunAsync(server, options.Rate, options.Warmup / 3, WriteAsync);
            lock (gate)
            {
                (lastAnswer, longest) = (Stopwatch.GetTimestamp(), TimeSpan.Zero);
            }

            var load = OpenLoop.RunAsync(server, options.Rate, during, WriteAsync);
            await Task.Delay(during / 4, cancellationToken);
            await disturb();
            return (await load, longest);
        }

        var quiet = await DuringAsync(static () => Task.CompletedTask);
        var moved = await DuringAsync(() => client.Admin.MovePrimaryAsync(new MovePrimaryRequest { Database = BenchTable.Database, Region = options.Regions[1] }, cancellationToken));
        var killed = await DuringAsync(() => KillPrimaryAsync(server, client, cancellationToken));
        await CheckAsync(client, Interlocked.Read(ref answered), cancellationToken);
        remarks.Plot(new(
            "latency", $"Writes at {options.Rate}/s, from their intended start", PlotKind.Percentiles, "percentile", "milliseconds",
            [quiet.Load.Latency.PlotLine("undisturbed"), moved.Load.Latency.PlotLine("primary moved"), killed.Load.Latency.PlotLine("primary killed")]));
        return
        [
            Pause("longest time without an answer, undisturbed", quiet),
            Pause("longest time without an answer, primary moved to another node", moved),
            Pause("longest time without an answer, primary's process killed", killed),
            quiet.Load.Latency.Report("write from its intended start, undisturbed", quiet.Load.Calls),
            moved.Load.Latency.Report("write from its intended start, primary moved", moved.Load.Calls),
            killed.Load.Latency.Report("write from its intended start, primary killed", killed.Load.Calls),
        ];
    }

    private static BenchResult Pause(string name, (LoadResult Load, TimeSpan Pause) measured) =>
        new(name, "ms", measured.Load.Calls, measured.Pause.TotalMilliseconds, null, measured.Pause.TotalMilliseconds, null, null);

    private static async Task KillPrimaryAsync(ServerProcess server, ReplicatedSqliteClient client, CancellationToken cancellationToken)
    {
        var topology = await client.Admin.GetTopologyAsync(BenchTable.Database, cancellationToken);
        var primary = topology.Copies.First(static copy => copy.Role == Role.Primary).NodeId;
        var region = server.Ready.Nodes.First(node => node.Id == primary).Region;
        await server.All.First(process => process.Has(region)).KillAsync();
    }

    // Each key once, on every node that is left.
    private static async Task CheckAsync(ReplicatedSqliteClient client, long answered, CancellationToken cancellationToken)
    {
        var bookmark = (await client.Database(BenchTable.Database).ExecuteAsync("SELECT 1", cancellationToken: cancellationToken)).Bookmark;
        var row = (await client.Database(BenchTable.Database).WithSession(bookmark).QueryAsync("SELECT count(*), count(DISTINCT v) FROM t", cancellationToken: cancellationToken)).Rows[0];
        if (row.GetInt64(0) != answered || row.GetInt64(1) != answered)
        {
            throw new BenchException(string.Create(CultureInfo.InvariantCulture, $"After the failover there are {row.GetInt64(0)} rows with {row.GetInt64(1)} keys; {answered} writes were answered."));
        }
    }
}
