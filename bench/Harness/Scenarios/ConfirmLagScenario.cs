using System.Diagnostics;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>How long after the primary's confirmation can a replica's readers see a write?</summary>
/// <remarks>
/// Open loop: writes begin at a fixed rate, whether or not earlier ones are answered, and their latency counts from the moment they should have begun. The lag is measured by
/// the replicas themselves, on the machine's one monotonic clock, in every normal build.
/// </remarks>
internal sealed class ConfirmLagScenario : IScenario
{
    public string Name => "confirm-lag";

    public async Task RunAsync(ServerProcess server, RunOptions options, List<Result> results, List<string> notes)
    {
        await using var database = await BenchDatabase.CreateAsync(server, options.Regions, "lag");
        await database.ExecuteAsync(null, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, value TEXT)");
        foreach (var region in database.Replicas)
        {
            await database.ExecuteAsync(region, "first-unconstrained", "SELECT 1"); // brings the replica up
        }

        var (_, warm) = await WriteAsync(database, options.Rate, options.WarmUp);
        await server.TakeLagsAsync();
        var (latencies, written) = await WriteAsync(database, options.Rate, options.Duration);
        var lags = await server.TakeLagsAsync();

        results.Add(Result.Of("write latency, from when it should have begun", "ms", latencies));
        foreach (var (region, values) in lags)
        {
            var samples = new Samples();
            samples.AddRange(values);
            results.Add(Result.Of($"confirm lag, {region}", "ms", samples));
        }

        await CheckAsync(database, warm + written);
    }

    private static async Task<(Samples Latencies, long Written)> WriteAsync(BenchDatabase database, int rate, TimeSpan duration)
    {
        var latencies = new Samples();
        var value = new Value { Text = new string('x', 100) };
        var total = (long)(rate * duration.TotalSeconds);
        var calls = new List<Task>((int)total);
        var clock = Stopwatch.StartNew();
        for (long i = 0; i < total;)
        {
            var due = (long)(clock.Elapsed.TotalSeconds * rate);
            for (; i <= due && i < total; i++)
            {
                calls.Add(WriteOneAsync(database, value, TimeSpan.FromSeconds((double)i / rate), clock, latencies));
            }

            await Task.Delay(1);
        }

        await Task.WhenAll(calls);
        return (latencies, total);
    }

    private static async Task WriteOneAsync(BenchDatabase database, Value value, TimeSpan intended, Stopwatch clock, Samples latencies)
    {
        await database.ExecuteAsync(null, "", "INSERT INTO t (value) VALUES (?)", value);
        latencies.Add((clock.Elapsed - intended).TotalMilliseconds);
    }

    private static async Task CheckAsync(BenchDatabase database, long expected)
    {
        var last = (await database.ExecuteAsync(null, "", "SELECT count(*) FROM t")).Bookmark;
        foreach (var region in database.Replicas)
        {
            var found = await database.CountAsync(region, last, "SELECT count(*) FROM t");
            if (found != expected)
            {
                throw new WrongAnswerException($"{expected} writes were answered, but {region} shows {found} rows at {Bookmark.Parse(last)}.");
            }
        }
    }
}
