using System.Diagnostics;
using System.Globalization;
using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What cold storage in a folder costs and gives: how fast a file is built from it, how soon a fork answers, how late uploads are, and what writers notice of a snapshot.</summary>
/// <remarks>Snapshots follow each other all the time here, about half of it copying; calls are told apart by whether one was being taken when they began. What it copies is bounded to a rate, which says how long one takes at least.</remarks>
internal sealed class ColdStorageScenario : Scenario
{
    private const int ValueBytes = 3900; // a row a page
    private const int RowsPerCall = 1000;
    private const string First = "SELECT v FROM t WHERE id = 1";
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(100);
    private static readonly string _fill = string.Create(
        CultureInfo.InvariantCulture,
        $"WITH RECURSIVE s (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM s WHERE n < {RowsPerCall}) INSERT INTO t (v) SELECT hex(randomblob({ValueBytes / 2})) FROM s");

    private readonly long _rate = new UploadOptions().SnapshotBytesPerSecond;

    public override bool NeedsCluster => false; // it starts its own, in which snapshots are due all the time

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(Path.Combine(server.Folder, "snapshots")).FullName;
        await using var own = await ServerProcess.StartAsync(folder, options.Regions, keepsLog: false, cancellationToken, snapshots: true);
        await using var table = new BenchTable(own);
        await table.CreateAsync(replicas: [], cancellationToken: cancellationToken);
        var rows = Math.Max(RowsPerCall, options.DatabaseRows);
        for (var done = 0; done < rows; done += RowsPerCall)
        {
            await table.Primary.ExecuteAsync(_fill, cancellationToken: cancellationToken);
        }

        await using var client = own.ClientOf(own.Ready.Nodes[0]);
        var database = await client.Admin.GetDatabaseAsync(table.Name, cancellationToken);
        var store = Path.Combine(folder, "data", "cold");
        var stored = new StoredObjects(Path.Combine(store, database.Id));
        var flushed = await TimeAsync(() => client.Admin.GetBookmarkAsync(table.Name, TimeProvider.System.GetUtcNow(), cancellationToken)); // all that is confirmed is there then
        if (!options.IsQuick)
        {
            await WaitForSnapshotAsync(table, stored, cancellationToken);
        }

        var results = new List<BenchResult>
        {
            new("size of the database", "MB", 1, database.SizeBytes / 1e6, null, database.SizeBytes / 1e6, null, null),
            new("until the newest write was in cold storage", "ms", 1, flushed.TotalMilliseconds, null, flushed.TotalMilliseconds, null, null),
        };
        results.AddRange(await BuildAsync(store, folder, database, client, table.Name, options.Rounds, cancellationToken));
        results.AddRange(await WriteAsync(table, stored, options, database.SizeBytes, remarks, cancellationToken));
        return results;
    }

    // By the store's reader alone, and by a fork from the request until its first answer, in turns with a copy of a file of that size.
    private static async Task<List<BenchResult>> BuildAsync(
        string store, string folder, Protocol.V1.Database database, ReplicatedSqliteClient client, string name, int rounds, CancellationToken cancellationToken)
    {
        var (copies, builds, forks) = (new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram());
        await using var objects = new FolderStore(store, TimeProvider.System);
        var (ratios, path) = (new List<double>(), Path.Combine(folder, "built.sqlite"));
        for (var i = 0; i < rounds; i++)
        {
            var copy = DiskCopy.Measure(folder, database.SizeBytes);
            var build = await TimeAsync(() => new ColdRestorer(objects, new ColdRestoreOptions()).RestoreAsync(new DatabaseId(Guid.Parse(database.Id)), path, null, cancellationToken));
            File.Delete(path);
            copies.Record((long)copy.TotalNanoseconds);
            builds.Record((long)build.TotalNanoseconds);
            ratios.Add(copy / build);
            var fork = string.Create(CultureInfo.InvariantCulture, $"fork-{i}");
            forks.Record((long)(await TimeAsync(async () =>
            {
                await client.Admin.ForkAsync(name, fork, cancellationToken: cancellationToken);
                await client.Database(fork).QueryScalarAsync<string>(First, cancellationToken: cancellationToken);
            })).TotalNanoseconds);
            await client.Admin.DeleteDatabaseAsync(fork, cancellationToken);
        }

        return
        [
            copies.Report("copy of a file of that size, synced", copies.Count),
            builds.Report("file built from the store, synced", builds.Count, copies.Percentile(50) / 1e6),
            new("speed of that, of the copy's in its round", "", ratios.Count, ratios.Median(), null, ratios.Average(), null, null, Spread: ratios.Spread()),
            forks.Report("fork until its first query is answered", forks.Count, copies.Percentile(50) / 1e6),
        ];
    }

    private async Task<List<BenchResult>> WriteAsync(BenchTable table, StoredObjects stored, BenchOptions options, long sizeBytes, Remarks remarks, CancellationToken cancellationToken)
    {
        var value = new string('v', options.ValueBytes);
        var calls = new List<(DateTime Begin, DateTime End)>[options.Callers];
        var started = TimeProvider.System.GetUtcNow().UtcDateTime;
        await Task.WhenAll(Enumerable.Range(0, options.Callers).Select(caller => Task.Run(async () =>
        {
            calls[caller] = [];
            var (random, before) = (new Random(options.Seed + caller), TimeProvider.System.GetUtcNow().UtcDateTime);
            while (before - started < options.Duration)
            {
                await table.Primary.ExecuteAsync("UPDATE t SET v = ? || substr(v, 1, 3000) WHERE id = ?", [value, random.Next(1, options.DatabaseRows)], cancellationToken: cancellationToken);
                var now = TimeProvider.System.GetUtcNow().UtcDateTime;
                calls[caller].Add((before, now));
                before = now;
            }
        }, cancellationToken)));
        var ended = TimeProvider.System.GetUtcNow().UtcDateTime;
        await Task.Delay(options.IsQuick ? TimeSpan.Zero : TimeSpan.FromSeconds(12), cancellationToken); // the last of it goes there
        var all = calls.SelectMany(static caller => caller).ToList();
        var results = new List<BenchResult> { stored.LagOf(all.Select(static call => call.End)).Report("from a write's answer until it is in cold storage", all.Count) };

        // How long one takes at least: copying is held to a rate. What lies between is taken for the time without.
        var taking = TimeSpan.FromSeconds((double)sizeBytes / _rate);
        var snapshots = stored.Snapshots.Where(at => at > started && at - taking < ended).Select(at => (Begin: at - taking, End: at)).ToList();
        bool IsBeside(DateTime at) => snapshots.Exists(snapshot => at >= snapshot.Begin && at <= snapshot.End);
        var (beside, without) = (new LatencyHistogram(), new LatencyHistogram());
        all.ForEach(call => (IsBeside(call.Begin) ? beside : without).Record((call.End - call.Begin).Ticks * TimeSpan.NanosecondsPerTick));
        var besideTime = snapshots.Sum(snapshot => ((snapshot.End < ended ? snapshot.End : ended) - (snapshot.Begin > started ? snapshot.Begin : started)).TotalSeconds);
        var withoutTime = (ended - started).TotalSeconds - besideTime;
        if (beside.Count == 0 || without.Count == 0)
        {
            remarks.Note("no snapshot was taken during the writes, or all the time: a longer --seconds shows both");
            return results;
        }

        var (rateBeside, rateWithout) = (beside.Count / besideTime, without.Count / withoutTime);
        results.Add(new("writes without a snapshot", "1/s", without.Count, rateWithout, null, rateWithout, null, null));
        results.Add(new("writes beside a snapshot", "1/s", beside.Count, rateBeside, null, rateBeside, rateWithout, rateBeside / rateWithout));
        results.Add(without.Report("a write without a snapshot", without.Count));
        results.Add(beside.Report("a write beside a snapshot", beside.Count, without.Percentile(50) / 1e6));
        results.Add(new("p99 of that, of the one without", "", snapshots.Count, beside.Percentile(99) / without.Percentile(99), null, beside.Percentile(99) / without.Percentile(99), null, null));
        return results;
    }

    private static async Task WaitForSnapshotAsync(BenchTable table, StoredObjects stored, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetUtcNow().UtcDateTime;
        var count = stored.Snapshots.Count;
        while (stored.Snapshots.Count == count && TimeProvider.System.GetUtcNow().UtcDateTime - started < _patience)
        {
            await table.Primary.ExecuteAsync("UPDATE t SET v = v || 'x' WHERE id = 2", cancellationToken: cancellationToken); // another is due when more segments came
            await Task.Delay(_pause, cancellationToken);
        }
    }

    private static async Task<TimeSpan> TimeAsync(Func<Task> work)
    {
        var started = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(started);
    }
}
