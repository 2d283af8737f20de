using System.Diagnostics;
using Microsoft.Data.Sqlite;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The ADO.NET provider: a point read through ExecuteScalar beside the raw call, its allocation beside a bare HTTP/2 call, and 100,000 rows beside Microsoft.Data.Sqlite on a file here.</summary>
internal sealed class ClientScenario : Scenario
{
    private const int PointRows = 1000;
    private const string PointSql = "SELECT v FROM t WHERE id = @id";
    private const string WideSql = "SELECT id, number, price, name, note FROM wide";
    private const string WideSchema = "CREATE TABLE wide (id INTEGER PRIMARY KEY, number INTEGER, price REAL, name TEXT, note TEXT)";

    private static int WideRows(BenchOptions options) => options.IsQuick ? 5_000 : 100_000;

    private static int AllocationCalls(BenchOptions options) => options.IsQuick ? 200 : 2000;

    private static string Fill(BenchOptions options) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"""
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {WideRows(options)})
        INSERT INTO wide SELECT i, i * 7919 % 1000003, i * 0.37, printf('customer %08d', i), printf('order of %d pieces, sent by post', i % 97) FROM n
        """);

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(
        ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        await using var table = new BenchTable(server);
        await table.CreateAsync(cancellationToken: cancellationToken);
        await table.FillAsync([.. Enumerable.Range(1, PointRows).Select(i => $"value {i:D8}")], cancellationToken);
        await table.Primary.ExecuteAsync(WideSchema, cancellationToken: cancellationToken);
        await table.Primary.ExecuteAsync(Fill(options), cancellationToken: cancellationToken);
        await table.CheckRowsAsync(PointRows, cancellationToken); // from here on the replica needs no bookmark

        var node = server.Ready.Nodes[1].Grpc;
        await using var source = ReplicatedSqliteDataSource.Create($"Endpoint={node.Authority};Database={BenchTable.Database};Session=first-unconstrained");
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var command = new ReplicatedSqliteCommand(PointSql, connection);
        var id = command.Parameters.AddWithValue("@id", 0);
        await using var channel = new GrpcChannel(node);
        using var bare = new BareEchoClient(server.Ready.BareEcho);
        var payload = new byte[64];
        var next = 0;
        Func<Task> raw = async () => Check(next = (next % PointRows) + 1, (await CallAsync(channel, next)).Results[0].Rows.Columns[0].Texts[0]);
        Func<Task> scalar = async () =>
        {
            id.Value = next = (next % PointRows) + 1;
            Check(next, await command.ExecuteScalarAsync(CancellationToken.None));
        };
        var rawSeries = new Series("raw call, 1 caller", 1, _ => raw());
        var scalarSeries = new Series("ExecuteScalarAsync, 1 caller", 1, _ => scalar());
        var syncSeries = new Series("ExecuteScalar, 1 caller", 1, _ =>
        {
            id.Value = next = (next % PointRows) + 1;
            Check(next, command.ExecuteScalar());
            return Task.CompletedTask;
        });
        var blockingSeries = new Series("raw call, waited for by its thread, 1 caller", 1, _ =>
        {
            raw().GetAwaiter().GetResult();
            return Task.CompletedTask;
        });
        await Series.AlternateAsync(server, options, [rawSeries, scalarSeries, syncSeries, blockingSeries]);
        var (times, syncTimes, blockingTimes) = (Ratios(scalarSeries, rawSeries), Ratios(syncSeries, rawSeries), Ratios(syncSeries, blockingSeries));
        var bareBytes = await AllocationAsync(options, () => bare.CallAsync(payload));
        var rawBytes = await AllocationAsync(options, raw);
        var scalarBytes = await AllocationAsync(options, scalar);
        var rows = await RowsAsync(server, connection, options, cancellationToken);
        return
        [
            .. rawSeries.Report(remarks),
            .. scalarSeries.Report(remarks, rawSeries),
            .. syncSeries.Report(remarks, rawSeries),
            new("ExecuteScalarAsync: time of the raw call's", "", times.Count, times.Median(), null, times.Average(), null, null),
            new("ExecuteScalar: time of the raw call's", "", syncTimes.Count, syncTimes.Median(), null, syncTimes.Average(), null, null),
            new("ExecuteScalar: time of the raw call's, waited for by its thread", "", blockingTimes.Count, blockingTimes.Median(), null, blockingTimes.Average(), null, null),
            new("bare HTTP/2 call: client allocation", "B/call", AllocationCalls(options), bareBytes, null, bareBytes, null, null),
            new("raw call: client allocation beyond it", "B/call", AllocationCalls(options), rawBytes - bareBytes, null, rawBytes - bareBytes, null, null),
            new("ExecuteScalarAsync: client allocation beyond it", "B/call", AllocationCalls(options), scalarBytes - bareBytes, null, scalarBytes - bareBytes, null, null),
            .. rows,
        ];
    }

    private static Task<ExecuteResponse> CallAsync(GrpcChannel channel, int id) => channel.CallAsync(QueryMethods.Execute, new ExecuteRequest
    {
        Database = BenchTable.Database,
        Read = new ReadOptions { Session = Session.FirstUnconstrained },
        Statements = { new Statement { Sql = PointSql, Named = { ["@id"] = new Value { Integer = id } } } },
    });

    private static List<double> Ratios(Series ours, Series limit) => [.. ours.MediansMs.Zip(limit.MediansMs, (own, least) => own / least)];

    // The whole process's: what else runs in it is the timer of a few probes.
    private static async Task<double> AllocationAsync(BenchOptions options, Func<Task> call)
    {
        for (var i = 0; i < AllocationCalls(options) / 10; i++) await call();
        var before = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < AllocationCalls(options); i++) await call();
        return (double)(GC.GetTotalAllocatedBytes(precise: true) - before) / AllocationCalls(options);
    }

    private static async Task<BenchResult[]> RowsAsync(ServerProcess server, ReplicatedSqliteConnection connection, BenchOptions options, CancellationToken cancellationToken)
    {
        SQLitePCL.raw.SetProvider(new SQLitePCL.SQLite3Provider_e_sqlite3());
        await using var local = new SqliteConnection($"Data Source={Path.Combine(server.Folder, "local-ado.db")}");
        local.Open();
        foreach (var sql in (string[])[WideSchema, Fill(options)])
        {
            await using var setUp = new SqliteCommand(sql, local);
            setUp.ExecuteNonQuery();
        }

        await using var theirs = new SqliteCommand(WideSql, local);
        await using var ours = new ReplicatedSqliteCommand(WideSql, connection);
        var (localRates, rates) = (new List<double>(), new List<double>());
        for (var round = options.IsQuick ? 0 : -3; round < options.Rounds * (options.IsQuick ? 1 : 4); round++)
        {
            var started = Stopwatch.GetTimestamp();
            var wanted = Read(theirs.ExecuteReader());
            var localRate = WideRows(options) / Stopwatch.GetElapsedTime(started).TotalSeconds;
            started = Stopwatch.GetTimestamp();
            var found = await ReadAsync(await ours.ExecuteReaderAsync(cancellationToken), cancellationToken);
            var rate = WideRows(options) / Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (found != wanted) throw new BenchException($"The rows read came to {found}; {wanted} was wanted.");
            if (round < 0) continue;
            localRates.Add(localRate);
            rates.Add(rate);
        }

        var count = (long)WideRows(options) * rates.Count;
        return
        [
            new("rows by Microsoft.Data.Sqlite from a file here", "1/s", count, localRates.Median(), null, localRates.Average(), null, null),
            new("rows by ExecuteReader", "1/s", count, rates.Median(), null, rates.Average(), localRates.Median(), rates.Zip(localRates, (own, limit) => own / limit).ToList().Median()),
        ];
    }

    private static RowTotals Read(SqliteDataReader reader)
    {
        using var _ = reader;
        var totals = default(RowTotals);
        while (reader.Read()) totals = totals.Add(reader.GetInt64(0), reader.GetInt64(1), reader.GetDouble(2), reader.GetString(3), reader.GetString(4));
        return totals;
    }

    private static async Task<RowTotals> ReadAsync(ReplicatedSqliteDataReader reader, CancellationToken cancellationToken)
    {
        await using var _ = reader;
        var totals = default(RowTotals);
        while (await reader.ReadAsync(cancellationToken))
            totals = totals.Add(reader.GetInt64(0), reader.GetInt64(1), reader.GetDouble(2), reader.GetString(3), reader.GetString(4));
        return totals;
    }

    private static void Check(int id, object? found)
    {
        if (found is not string text || !text.EndsWith(id.ToString("D8", System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal))
            throw new BenchException($"The read of id {id} gave {found}.");
    }
}
