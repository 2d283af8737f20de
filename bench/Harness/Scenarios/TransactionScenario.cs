using Google.Protobuf;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Three statements one by one in an interactive transaction, beside the same three as one Execute: what do the round trips and the lease cost?</summary>
internal sealed class TransactionScenario : Scenario
{
    private const int Rows = 1000;
    private const int MoreRoundTrips = 3; // begin, three statements and commit, less the one of Execute, and one in hand
    private const double AllowedMs = 0.3;

    private static readonly string[] _reads = ["SELECT v FROM t WHERE id = 1", "SELECT v FROM t WHERE id = 2", "SELECT v FROM t WHERE id = 3"];
    private static readonly string[] _writes = ["SELECT v FROM t WHERE id = 1", "UPDATE t SET v = 'value' WHERE id = 2", "SELECT v FROM t WHERE id = 2"];

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(
        ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        await using var table = new BenchTable(server);
        await table.CreateAsync(cancellationToken: cancellationToken);
        await table.FillAsync([.. Enumerable.Repeat("value", Rows)], cancellationToken);
        await using var grpc = new GrpcEchoClient(server.Ready.Echo);
        var payload = ByteString.CopyFrom(new byte[64]);
        var echo = new Series("echo 64 B, 1 caller", 1, _ => grpc.CallAsync(payload));
        var readBatch = new Series("3 reads, one Execute", 1, _ => BatchAsync(table.Primary, _reads, cancellationToken));
        var read = new Series("3 reads, one transaction", 1, _ => TransactAsync(table.Primary, _reads, cancellationToken));
        var writeBatch = new Series("read, update, read, one Execute", 1, _ => BatchAsync(table.Primary, _writes, cancellationToken));
        var write = new Series("read, update, read, one transaction", 1, _ => TransactAsync(table.Primary, _writes, cancellationToken));
        await Series.AlternateAsync(server, options, [echo, readBatch, read, writeBatch, write]);
        return
        [
            .. echo.Report(remarks), .. readBatch.Report(remarks), .. read.Report(remarks), Added("3 reads", read, readBatch, echo),
            .. writeBatch.Report(remarks), .. write.Report(remarks), Added("read, update, read", write, writeBatch, echo),
        ];
    }

    /// <summary>By how much the transaction takes longer, round by round, beside what it may.</summary>
    private static BenchResult Added(string name, Series transaction, Series batch, Series echo)
    {
        var added = transaction.MediansMs.Zip(batch.MediansMs, (own, other) => own - other).ToList();
        var allowed = echo.MediansMs.Select(trip => (MoreRoundTrips * trip) + AllowedMs).ToList();
        return new BenchResult(
            $"{name}: added by the transaction", "ms", transaction.Calls, added.Median(), null, added.Average(), allowed.Median(), added.Zip(allowed, (own, most) => own / most).Median());
    }

    private static async Task BatchAsync(ReplicatedDatabase database, string[] statements, CancellationToken cancellationToken)
    {
        var results = await database.BatchAsync([.. statements.Select(sql => new SqlStatement(sql))], cancellationToken: cancellationToken);
        Check(results.Results[^1].Rows[0].GetString(0));
    }

    private static async Task TransactAsync(ReplicatedDatabase database, string[] statements, CancellationToken cancellationToken)
    {
        await using var transaction = await database.BeginTransactionAsync(cancellationToken: cancellationToken);
        var last = "";
        foreach (var sql in statements)
        {
            var answer = await transaction.ExecuteAsync(sql, cancellationToken: cancellationToken);
            last = answer.First.Rows.Count == 0 ? last : answer.First.Rows[0].GetString(0);
        }

        await transaction.CommitAsync(cancellationToken);
        Check(last);
    }

    private static void Check(string found)
    {
        if (found != "value")
        {
            throw new BenchException($"A transaction read '{found}'; 'value' was wanted.");
        }
    }
}
