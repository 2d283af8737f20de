using System.Diagnostics;
using System.Globalization;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Rows of five columns through Stream from a replica, every value read, beside the same rows from SQLite in this process.</summary>
internal sealed class StreamScenario : Scenario
{
    private const string Sql = "SELECT id, number, price, name, note FROM wide";
    private const string Schema = "CREATE TABLE wide (id INTEGER PRIMARY KEY, number INTEGER, price REAL, name TEXT, note TEXT)";
    private const int RowsPerInsert = 50_000;
    private static readonly TimeSpan _watchEach = TimeSpan.FromMilliseconds(20);

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(
        ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        await using var table = new BenchTable(server);
        await table.CreateAsync(cancellationToken: cancellationToken);
        await table.Primary.ExecuteAsync(Schema, cancellationToken: cancellationToken);
        using var local = SqliteConnection.Open(Path.Combine(server.Folder, "local.db"), create: true);
        local.Execute(Schema);
        for (var from = 1; from <= options.Rows; from += RowsPerInsert)
        {
            var insert = Insert(from, Math.Min(from + RowsPerInsert - 1, options.Rows));
            await table.Primary.ExecuteAsync(insert, cancellationToken: cancellationToken);
            local.Execute(insert);
        }

        await table.CheckRowsAsync(0, cancellationToken); // the replicas have everything
        var replica = table.Replica(1);
        var wanted = ReadLocally(local);
        var (localRates, streamRates, growth, cpu) = (new List<double>(), new List<double>(), new List<double>(), new List<(double Server, double Client)>());
        for (var round = -2; round < options.Rounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            Check(ReadLocally(local), wanted);
            var localRate = options.Rows / Stopwatch.GetElapsedTime(started).TotalSeconds;
            var before = await server.UsageAsync();
            var own = CpuMeter.Read();
            using var watch = new CancellationTokenSource();
            var most = WatchAsync(server, watch.Token);
            started = Stopwatch.GetTimestamp();
            Check(await ReadStreamAsync(replica, cancellationToken), wanted);
            var streamRate = options.Rows / Stopwatch.GetElapsedTime(started).TotalSeconds;
            await watch.CancelAsync();
            var after = await server.UsageAsync();
            if (round >= 0)
            {
                localRates.Add(localRate);
                streamRates.Add(streamRate);
                growth.Add((await most - before.WorkingSetBytes) / 1e6);
                cpu.Add(((after.CpuMicroseconds - before.CpuMicroseconds) / options.Rows, (CpuMeter.Read().CpuMicroseconds - own.CpuMicroseconds) / options.Rows));
            }
        }

        double? ratio = remarks.IsTooFar("rows in process", localRates) ? null : streamRates.Zip(localRates, (stream, own) => stream / own).Median();
        var rows = (long)options.Rows * options.Rounds;
        return
        [
            new("rows in process", "1/s", rows, localRates.Median(), null, localRates.Average(), null, null),
            new("rows by Stream", "1/s", rows, streamRates.Median(), null, streamRates.Average(), localRates.Median(), ratio),
            new("rows by Stream: server CPU", "us/row", rows, cpu.Select(round => round.Server).Median(), null, cpu.Average(round => round.Server), null, null),
            new("rows by Stream: client CPU", "us/row", rows, cpu.Select(round => round.Client).Median(), null, cpu.Average(round => round.Client), null, null),
            new("rows by Stream: most growth of the server's memory", "MB", options.Rounds, growth.Median(), growth.Max(), growth.Average(), null, null),
        ];
    }

    // The same on every machine and in every process.
    private static string Insert(int from, int to) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i < {to})
        INSERT INTO wide SELECT i, i * 7919 % 1000003, i * 0.37, printf('customer %08d', i), printf('order of %d pieces, sent by post', i % 97) FROM n
        """);

    private static RowTotals ReadLocally(SqliteConnection connection)
    {
        var totals = default(RowTotals);
        using var read = connection.Prepare(Sql);
        while (read.Step())
        {
            totals = totals.Add(read.GetInteger(0), read.GetInteger(1), read.GetReal(2), read.GetText(3)!, read.GetText(4)!);
        }

        return totals;
    }

    private static async Task<RowTotals> ReadStreamAsync(ReplicatedDatabase replica, CancellationToken cancellationToken)
    {
        var totals = default(RowTotals);
        await foreach (var row in replica.WithSession(Session.FirstUnconstrained).StreamAsync(Sql, cancellationToken: cancellationToken))
        {
            totals = totals.Add(row.GetInt64(0), row.GetInt64(1), row.GetDouble(2), row.GetString(3), row.GetString(4));
        }

        return totals;
    }

    private static async Task<long> WatchAsync(ServerProcess server, CancellationToken cancellationToken)
    {
        var most = 0L;
        while (!cancellationToken.IsCancellationRequested)
        {
            most = Math.Max(most, (await server.UsageAsync()).WorkingSetBytes);
            await Task.Delay(_watchEach, cancellationToken).ContinueWith(static _ => { }, TaskScheduler.Default);
        }

        return most;
    }

    private static void Check(RowTotals found, RowTotals wanted)
    {
        if (found != wanted)
        {
            throw new BenchException($"The rows read came to {found}; {wanted} was wanted.");
        }
    }
}
