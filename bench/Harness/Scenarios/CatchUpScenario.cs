using System.Diagnostics;
using System.Globalization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>A replica's node is stopped, one-row writes go on, the node comes back: how fast does its replica apply what it missed?</summary>
internal sealed class CatchUpScenario : Scenario
{
    private const string Sql = "INSERT INTO t (v) VALUES (?)";
    private const int Away = 1; // the node
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    public override LimitKind Limits => LimitKind.Disk;

    public override IReadOnlyList<NodeGroup>? Groups(BenchOptions options) => null; // a node is stopped and started within the process

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        await using var table = new BenchTable(server);
        await table.CreateAsync(followers: 1, cancellationToken: cancellationToken); // so that the node which is stopped keeps no log
        await table.CheckRowsAsync(0, cancellationToken);
        var (rates, times, firsts) = (new List<double>(), new List<double>(), new List<double>());
        var rows = 0;
        var snapshots = 0L;
        for (var round = 0; round < options.Rounds; round++)
        {
            await server.SwitchNodeAsync(Away, on: false);
            await WriteAsync(table, options, cancellationToken);
            rows += options.Entries;
            var before = await server.SnapshotsAsync();
            await server.SwitchNodeAsync(Away, on: true);
            var caughtUp = await FollowAsync(table.Replica(Away), rows, cancellationToken);
            snapshots += await server.SnapshotsAsync() - before;
            times.Add(caughtUp.Whole.TotalMilliseconds);
            firsts.Add(caughtUp.First.TotalMilliseconds);
            rates.Add(options.Entries / caughtUp.Whole.TotalSeconds);
        }

        await table.CheckRowsAsync(rows, cancellationToken);
        if (snapshots > 0)
        {
            remarks.Note($"{snapshots} of {options.Rounds} times the replica was built from a snapshot in place of the log: the rate is that of the snapshot");
        }

        var count = (long)options.Entries * options.Rounds;
        return
        [
            new("one-row writes applied, from the node's return until the last is seen", "1/s", count, rates.Median(), null, rates.Average(), null, null, Spread: rates.Spread()),
            new("time from the node's return until the last is seen", "ms", options.Rounds, times.Median(), null, times.Average(), null, null, Spread: times.Spread()),
            new("until its first answer", "ms", options.Rounds, firsts.Median(), null, firsts.Average(), null, null, Spread: firsts.Spread()),
        ];
    }

    // Each write is a request of its own; those that wait together share a log entry, as usual.
    private static async Task WriteAsync(BenchTable table, BenchOptions options, CancellationToken cancellationToken)
    {
        var value = new string('v', options.ValueBytes);
        var left = options.Entries;
        await Task.WhenAll(Enumerable.Range(0, options.Callers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                await table.Primary.ExecuteAsync(Sql, [value], cancellationToken: cancellationToken);
            }
        }, cancellationToken)));
    }

    private static async Task<(TimeSpan First, TimeSpan Whole)> FollowAsync(ReplicatedDatabase replica, long wanted, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        TimeSpan? first = null;
        while (true)
        {
            try
            {
                var answer = await replica.WithSession().ExecuteAsync("SELECT coalesce(max(id), 0) FROM t", cancellationToken: cancellationToken);
                if (!answer.Served.Primary)
                {
                    first ??= Stopwatch.GetElapsedTime(started);
                    var found = answer.First.Rows[0].GetInt64(0);
                    if (found >= wanted)
                    {
                        return found == wanted
                            ? (first.Value, Stopwatch.GetElapsedTime(started))
                            : throw new BenchException(string.Create(CultureInfo.InvariantCulture, $"The replica shows row {found}; only {wanted} were written."));
                    }
                }
            }
            catch (ReplicatedSqliteException) when (Stopwatch.GetElapsedTime(started) < _patience)
            {
                // It does not answer yet.
            }

            await Task.Delay(_pause, cancellationToken);
        }
    }
}
