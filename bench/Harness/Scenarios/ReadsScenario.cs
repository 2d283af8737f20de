using System.Globalization;
using Google.Protobuf;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Point reads at a replica, each beside our echo: what do SQL and the copy add to a call?</summary>
internal sealed class ReadsScenario : Scenario
{
    private const int Rows = 10_000;
    private const string Sql = "SELECT v FROM t WHERE id = ?";

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(
        ServerProcess server, BenchOptions options, Noise noise, CancellationToken cancellationToken)
    {
        var random = new Random(options.Seed);
        var values = Enumerable.Range(1, Rows).Select(i => string.Create(CultureInfo.InvariantCulture, $"value {i:D8} {random.NextInt64():x16}")).ToList();
        await using var table = new BenchTable(server);
        await table.CreateAsync(cancellationToken: cancellationToken);
        await table.FillAsync(values, cancellationToken);
        await table.CheckRowsAsync(Rows, cancellationToken); // from here on the replica needs no bookmark

        await using var replica = new GrpcChannel(server.Ready.Nodes[1].Grpc);
        await using var grpc = new GrpcEchoClient(server.Ready.Echo);
        var keys = Enumerable.Range(0, options.Callers).Select(_ => new Random(random.Next())).ToArray(); // one a caller
        var payload = ByteString.CopyFrom(new byte[64]);
        var all = new List<Series>();
        foreach (var callers in new[] { 1, options.Callers }.Distinct())
        {
            var who = callers == 1 ? "1 caller" : $"{callers} callers";
            all.Add(new Series($"echo 64 B, {who}", callers, _ => grpc.CallAsync(payload)));
            all.Add(new Series($"point reads, {who}", callers, caller => ReadAsync(replica, keys[caller], values)));
        }

        await Series.AlternateAsync(server, options, all);
        return [.. all.Chunk(2).SelectMany(pair => pair[0].Report(noise).Concat(pair[1].Report(noise, pair[0])))];
    }

    private static async Task ReadAsync(GrpcChannel replica, Random keys, List<string> values)
    {
        var id = keys.Next(1, Rows + 1);
        var response = await replica.CallAsync(QueryMethods.Execute, new ExecuteRequest
        {
            Database = BenchTable.Database,
            Read = new ReadOptions { Session = Session.FirstUnconstrained },
            Statements = { new Statement { Sql = Sql, Positional = { new Value { Integer = id } } } },
        });
        var rows = response.Results[0].Rows;
        if (rows.RowCount != 1 || rows.Columns[0].Texts[0] != values[id - 1] || response.Served.Primary)
        {
            throw new BenchException($"The read of id {id} gave {rows}, served by {response.Served.By}; '{values[id - 1]}' of a replica was wanted.");
        }
    }
}
