using Google.Protobuf;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>How fast are durable single-row inserts, beside the echo and the disk of the same run?</summary>
internal sealed class WritesScenario : IScenario
{
    private const double DiskMoved = 2.0;

    public string Name => "writes";

    public async Task RunAsync(ServerProcess server, RunOptions options, List<Result> results, List<string> notes)
    {
        await using var database = await BenchDatabase.CreateAsync(server, options.Regions, "writes");
        await database.ExecuteAsync(null, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, value TEXT)");
        await using var echo = new EchoClients(server.Addresses["echo"]);
        var payload = ByteString.CopyFrom(new byte[128]);
        var value = new Value { Text = new string('x', 100) };
        var probe = TimeSpan.FromSeconds(Math.Min(1, options.Duration.TotalSeconds / 4));
        var before = DiskLimit.PerSecond(probe);
        long written = 0;
        foreach (var callers in new[] { options.Callers, 1 })
        {
            var pair = new Alternation(server, options with { Callers = callers });
            await pair.RunAsync(
                ("single-row insert", async _ =>
                {
                    await database.ExecuteAsync(null, "", "INSERT INTO t (value) VALUES (?)", value);
                    Interlocked.Increment(ref written);
                }),
                ("gRPC echo", _ => echo.OursAsync(payload)));
            pair.Report($", {callers} sessions", results, notes);
        }

        var after = DiskLimit.PerSecond(probe);
        results.Add(Result.Rate("4 KiB append + fdatasync, before and after", [before, after]));
        if (Math.Max(before, after) / Math.Min(before, after) > DiskMoved)
        {
            notes.Add($"noisy: the disk moved from {before:F0} to {after:F0} syncs a second within this run");
        }

        var last = (await database.ExecuteAsync(null, "", "SELECT 1")).Bookmark;
        foreach (var region in database.Replicas)
        {
            var found = await database.CountAsync(region, last, "SELECT count(*) FROM t");
            if (found != written)
            {
                throw new WrongAnswerException($"{written} writes were answered, but {region} shows {found} rows.");
            }
        }
    }
}
