using System.Diagnostics;
using System.Globalization;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>A database in cold storage: how long until a fork of it answers, a read of a past state, a replica that has nothing; and is the whole backup proven?</summary>
/// <remarks>Beside each the time that copying a file of that size takes on the same disk, synced.</remarks>
internal sealed class BackupScenario : Scenario
{
    private const int ValueBytes = 3000; // about one row a page
    private const int RowsPerCall = 500;
    private const int Rounds = 3;
    private static readonly string _insert = string.Create(
        CultureInfo.InvariantCulture,
        $"WITH RECURSIVE s (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM s WHERE n < {RowsPerCall}) INSERT INTO t (v) SELECT ? || hex(randomblob({ValueBytes / 4})) FROM s");

    private const string First = "SELECT v FROM t WHERE id = 1";

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        await using var table = new BenchTable(server);
        await table.CreateAsync(replicas: [], cancellationToken: cancellationToken);
        var rows = options.DatabaseRows * 5;
        var value = new string('v', ValueBytes / 2);
        for (var done = 0; done < rows; done += RowsPerCall)
        {
            await table.Primary.ExecuteAsync(_insert, [value], cancellationToken: cancellationToken);
        }

        await using var client = server.ClientOf(server.Ready.Nodes[0]);
        var size = (await client.Admin.GetDatabaseAsync(table.Name, cancellationToken)).SizeBytes;
        var stored = await TimeAsync(() => client.Admin.GetBookmarkAsync(table.Name, TimeProvider.System.GetUtcNow(), cancellationToken)); // all that is confirmed is there then
        var (fork, past, copy) = (new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram());
        for (var i = 0; i < Rounds; i++)
        {
            copy.Record((long)DiskCopy.Measure(server.Folder, size).TotalNanoseconds);
            var name = string.Create(CultureInfo.InvariantCulture, $"fork-{i}");
            fork.Record((long)(await TimeAsync(async () =>
            {
                await client.Admin.ForkAsync(table.Name, name, cancellationToken: cancellationToken);
                await client.Database(name).QueryScalarAsync<string>(First, cancellationToken: cancellationToken);
            })).TotalNanoseconds);
            await client.Admin.DeleteDatabaseAsync(name, cancellationToken);
            var at = await client.Admin.GetBookmarkAsync(table.Name, cancellationToken: cancellationToken);
            await table.Primary.ExecuteAsync("UPDATE t SET v = v || 'x' WHERE id = 2", cancellationToken: cancellationToken);
            past.Record((long)(await TimeAsync(() => table.Primary.QueryScalarAsync<string>(First, null, new QueryOptions { AsOf = at }, cancellationToken))).TotalNanoseconds);
        }

        VerifyDatabaseResponse? proof = null;
        var verify = await TimeAsync(async () => proof = await client.Admin.VerifyDatabaseAsync(table.Name, cancellationToken));
        var limit = copy.Percentile(50) / 1e6;
        return
        [
            new("size of the database", "MB", 1, size / 1e6, null, size / 1e6, null, null),
            new("until the newest write was in cold storage", "ms", 1, stored.TotalMilliseconds, null, stored.TotalMilliseconds, null, null),
            copy.Report("copy of a file of that size, synced", copy.Count),
            fork.Report("fork until its first query is answered", fork.Count, limit),
            past.Report("first read as of a bookmark", past.Count, limit),
            new("verify", "ms", proof!.Objects, verify.TotalMilliseconds, null, verify.TotalMilliseconds, null, null),
        ];
    }

    private static async Task<TimeSpan> TimeAsync(Func<Task> work)
    {
        var started = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(started);
    }
}
