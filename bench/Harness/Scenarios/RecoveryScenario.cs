using System.Diagnostics;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>A crash with a long log behind the database's base: how long until the first write is answered, where the primary was and on a node that takes over?</summary>
internal sealed class RecoveryScenario : Scenario
{
    private const string Sql = "INSERT INTO t (v) VALUES (?)";
    private const int Writers = 4; // few, so that few writes share an entry
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(5);
    private static readonly string _value = new('v', 100);

    public override bool NeedsCluster => false; // it starts its own, several times

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(
        ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(server.Folder, "recovery");
        Directory.CreateDirectory(folder);
        var (entries, rows) = await FillAsync(folder, options, cancellationToken);

        var elsewhere = Path.Combine(server.Folder, "takeover");
        CopyFolder(folder, elsewhere);
        var again = await RecoverAsync(folder, options.Regions, rows, isLast: false, cancellationToken);
        var empty = await RecoverAsync(folder, options.Regions, rows + 1, isLast: true, cancellationToken);
        var takeover = await RecoverAsync(elsewhere, [.. options.Regions.Skip(1)], rows, isLast: true, cancellationToken);
        return
        [
            new("entries behind the base", "1", entries, entries, null, entries, null, null),
            .. again.Report("the same node"),
            .. empty.Report("the same node, nothing to replay"),
            .. takeover.Report("takeover by another node"),
        ];
    }

    private static async Task<(long Entries, long Rows)> FillAsync(string folder, BenchOptions options, CancellationToken cancellationToken)
    {
        var server = await ServerProcess.StartAsync(folder, options.Regions, keepsLog: true, cancellationToken);
        try
        {
            await using var table = new BenchTable(server);
            await table.CreateAsync(cancellationToken: cancellationToken);
            long rows = 0;
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var writers = Enumerable.Range(0, Writers).Select(async _ =>
            {
                while (!enough.IsCancellationRequested)
                {
                    await table.Primary.ExecuteAsync(Sql, [_value], cancellationToken: cancellationToken);
                    Interlocked.Increment(ref rows);
                }
            }).ToList();
            while (await server.GroupsAsync() < options.Entries && !writers.Exists(static writer => writer.IsFaulted))
            {
                await Task.Delay(_pause, cancellationToken);
            }

            await enough.CancelAsync();
            await Task.WhenAll(writers);
            return (await server.GroupsAsync(), rows);
        }
        finally
        {
            await server.KillAsync();
        }
    }

    private static async Task<Recovery> RecoverAsync(string folder, IReadOnlyList<string> regions, long rows, bool isLast, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var server = await ServerProcess.StartAsync(folder, regions, keepsLog: true, cancellationToken);
        try
        {
            var listening = Stopwatch.GetElapsedTime(started);
            await using var table = new BenchTable(server);
            await WriteAsync(table, started, cancellationToken);
            var answered = Stopwatch.GetElapsedTime(started);
            var found = await table.Primary.QueryScalarAsync<long>("SELECT count(*) FROM t", cancellationToken: cancellationToken);
            return found == rows + 1
                ? new Recovery(listening, answered)
                : throw new BenchException($"After the crash {found} rows were found; {rows + 1} writes were answered.");
        }
        finally
        {
            await server.KillAsync();
            if (isLast)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static async Task WriteAsync(BenchTable table, long started, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await table.Primary.ExecuteAsync(Sql, [_value], cancellationToken: cancellationToken);
                return;
            }
            catch (ReplicatedSqliteException e) when (e is not WriteOutcomeUnknownException && Stopwatch.GetElapsedTime(started) < _patience)
            {
                await Task.Delay(_pause, cancellationToken); // there is no primary yet
            }
        }
    }

    private static void CopyFolder(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    private readonly record struct Recovery(TimeSpan Listening, TimeSpan Answered)
    {
        public IEnumerable<BenchResult> Report(string where)
        {
            yield return Of($"{where}: start of the process until it listens", Listening);
            yield return Of($"{where}: first answered write", Answered);
        }

        private static BenchResult Of(string name, TimeSpan time) => new(name, "ms", 1, time.TotalMilliseconds, null, time.TotalMilliseconds, null, null);
    }
}
