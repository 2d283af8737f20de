using System.Diagnostics;
using System.Globalization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>A process that starts with many databases on its disk: how long until it listens, and how long does the first query of each take that is not in memory yet?</summary>
internal sealed class ColdStartScenario : Scenario
{
    private const int MostDatabases = 200; // each is asked in turn, cold
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(2);

    public override bool NeedsCluster => false; // it starts its own, twice

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(Path.Combine(server.Folder, "cold")).FullName;
        var databases = Math.Min(options.Databases, MostDatabases);
        var rows = Math.Max(1, options.DatabaseRows / 10);
        var first = await ServerProcess.StartAsync(folder, options.Regions, keepsLog: false, cancellationToken);
        try
        {
            for (var i = 0; i < databases; i++)
            {
                await using var table = new BenchTable(first, NameOf(i));
                await table.CreateAsync(cancellationToken: cancellationToken);
                await table.FillAsync([.. Enumerable.Repeat(NameOf(i), rows)], cancellationToken);
                await table.CheckRowsAsync(rows, cancellationToken);
            }
        }
        finally
        {
            await first.KillAsync(); // as a crash does it: nothing was closed
        }

        var started = Stopwatch.GetTimestamp();
        await using var second = await ServerProcess.StartAsync(folder, options.Regions, keepsLog: false, cancellationToken);
        var listening = Stopwatch.GetElapsedTime(started);
        await using var client = second.ClientOf(second.Ready.Nodes[0]);
        await using var far = second.ClientOf(second.Ready.Nodes[1]);
        var (write, warmWrite, read, warmRead) = (new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram());
        TimeSpan? usable = null;
        for (var i = 0; i < databases; i++)
        {
            var name = NameOf(i);
            await TimeAsync(write, () => UntilAnsweredAsync(() => client.Database(name).ExecuteAsync("INSERT INTO t (v) VALUES (?)", [name], cancellationToken: cancellationToken)));
            usable ??= Stopwatch.GetElapsedTime(started);
            await TimeAsync(warmWrite, () => client.Database(name).ExecuteAsync("INSERT INTO t (v) VALUES (?)", [name], cancellationToken: cancellationToken));
            await TimeAsync(read, () => CheckAsync(far.Database(name).WithSession(), name, cancellationToken));
            await TimeAsync(warmRead, () => CheckAsync(far.Database(name).WithSession(), name, cancellationToken));
            var found = await far.Database(name).WithSession(Session.FirstPrimary).QueryScalarAsync<long>("SELECT count(*) FROM t", cancellationToken: cancellationToken);
            if (found != rows + 2)
            {
                throw new BenchException(string.Create(CultureInfo.InvariantCulture, $"{name} has {found} rows after the start; {rows + 2} are wanted."));
            }
        }

        return
        [
            new("start of the process until it listens", "ms", 1, listening.TotalMilliseconds, null, listening.TotalMilliseconds, null, null),
            new("start of the process until the first write is answered", "ms", 1, usable!.Value.TotalMilliseconds, null, usable.Value.TotalMilliseconds, null, null),
            write.Report("first write of a database", write.Count, warmWrite.Percentile(50) / 1e6),
            warmWrite.Report("second write", warmWrite.Count),
            read.Report("first read at a replica", read.Count, warmRead.Percentile(50) / 1e6),
            warmRead.Report("second read", warmRead.Count),
        ];
    }

    private static string NameOf(int database) => string.Create(CultureInfo.InvariantCulture, $"cold-{database}");

    // A primary of before has to be given up first; until then writes are refused.
    private static async Task UntilAnsweredAsync(Func<Task> write)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await write();
                return;
            }
            catch (ReplicatedSqliteException e) when (e is not WriteOutcomeUnknownException && Stopwatch.GetElapsedTime(started) < _patience)
            {
                await Task.Delay(_pause);
            }
        }
    }

    private static async Task CheckAsync(Session session, string name, CancellationToken cancellationToken)
    {
        var found = await session.QueryScalarAsync<string>("SELECT v FROM t WHERE id = 1", cancellationToken: cancellationToken);
        if (found != name)
        {
            throw new BenchException($"Row 1 of {name} is '{found}'.");
        }
    }

    private static async Task TimeAsync(LatencyHistogram into, Func<Task> call)
    {
        var started = Stopwatch.GetTimestamp();
        await call();
        into.Record((long)Stopwatch.GetElapsedTime(started).TotalNanoseconds);
    }
}
