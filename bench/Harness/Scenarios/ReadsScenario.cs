using Google.Protobuf;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>How fast are point reads at a replica, beside the echo of the same run?</summary>
internal sealed class ReadsScenario : IScenario
{
    private const int Rows = 10_000;

    public string Name => "reads";

    public async Task RunAsync(ServerProcess server, RunOptions options, List<Result> results, List<string> notes)
    {
        await using var database = await BenchDatabase.CreateAsync(server, options.Regions, "reads");
        await database.ExecuteAsync(null, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, value TEXT)");
        await database.BatchAsync(
            "INSERT INTO t VALUES (?, ?)", Enumerable.Range(1, Rows).Select(id => new[] { new Value { Integer = id }, new Value { Text = $"value {id} {new string('x', 80)}" } }));
        var last = (await database.ExecuteAsync(null, "", "SELECT 1")).Bookmark;
        var region = database.Replicas.First();
        await database.ExecuteAsync(region, last, "SELECT 1");

        await using var echo = new EchoClients(server.Addresses["echo"]);
        var payload = ByteString.CopyFrom(new byte[128]);
        foreach (var callers in new[] { options.Callers, 1 })
        {
            var randoms = Enumerable.Range(0, callers).Select(caller => new Random(options.Seed + caller)).ToArray();
            var pair = new Alternation(server, options with { Callers = callers });
            await pair.RunAsync(
                ("point read at a replica", caller => ReadAsync(database, region, randoms[caller].Next(1, Rows + 1))),
                ("gRPC echo", _ => echo.OursAsync(payload)));
            pair.Report($", {callers} callers", results, notes);
        }
    }

    private static async Task ReadAsync(BenchDatabase database, string region, long id)
    {
        var answer = await database.ExecuteAsync(region, "first-unconstrained", "SELECT value FROM t WHERE id = ?", new Value { Integer = id });
        var rows = answer.Results[0].Rows;
        if (answer.Served.Primary || rows.RowCount != 1 || !rows.Columns[0].Texts[0].StartsWith($"value {id} ", StringComparison.Ordinal))
        {
            throw new WrongAnswerException($"The read of row {id} at {region} gave {rows}, served by {answer.Served}.");
        }
    }
}
