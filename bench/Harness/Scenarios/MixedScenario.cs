namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Sessions at a replica's node that read their own row four times and change it once, over and over: every read has to see the last change.</summary>
internal sealed class MixedScenario : Scenario
{
    private const int ReadsPerWrite = 4;

    public override LimitKind Limits => LimitKind.Disk | LimitKind.Echo;

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        await using var table = new BenchTable(server);
        await table.CreateAsync(cancellationToken: cancellationToken);
        var rows = Math.Max(options.DatabaseRows, options.Callers);
        await table.FillAsync([.. Enumerable.Repeat("0", rows)], cancellationToken);
        await table.CheckRowsAsync(rows, cancellationToken);
        var database = table.Replica(1);
        var callers = Enumerable.Range(1, options.Callers).Select(id => new Caller(database.WithSession(), id, options.ValueBytes)).ToArray();
        var (reads, writes) = (new LatencyHistogram(), new LatencyHistogram());
        var all = new Series($"mixed, {options.Callers} sessions", options.Callers, caller => callers[caller].StepAsync(reads, writes, cancellationToken));
        await using var peers = await PeerSet.StartAsync(options, server, remarks);
        var theirs = new List<Series>();
        foreach (var peer in peers.Peers.Where(static peer => peer.HasReadYourWrites))
        {
            theirs.Add(await CreateAsync(peer, all.Name, options));
        }

        await Series.AlternateAsync(server, options, [all, .. theirs]);
        foreach (var peer in peers.Peers)
        {
            await peer.CheckAsync();
        }

        var changed = await database.WithSession(Session.FirstPrimary).QueryScalarAsync<long>("SELECT sum(CAST(substr(v, 1, 12) AS INTEGER)) FROM t", cancellationToken: cancellationToken);
        if (changed != callers.Sum(static caller => caller.Changes))
        {
            throw new BenchException($"The rows were changed {changed} times; {callers.Sum(static caller => caller.Changes)} changes were answered.");
        }

        remarks.Plot(new("latency", "Four reads of one's own writes to one write", PlotKind.Percentiles, "percentile", "milliseconds", [reads.PlotLine("read at the replica"), writes.PlotLine("write")]));
        return
        [
            .. all.Report(LimitKind.Echo),
            .. theirs.SelectMany(series => series.ReportPeer(all)),
            reads.Report("mixed: read of one's own write", reads.Count),
            writes.Report("mixed: write through the replica's node", writes.Count) with { Against = LimitKind.Disk },
            new("mixed: reads that the primary answered", "1", callers.Sum(static caller => caller.AtPrimary) + 1, callers.Sum(static caller => caller.AtPrimary), null, null, null, null),
        ];
    }

    // Peers know rows by the id that an insert gave, so that a change is a further row here.
    private static async Task<Series> CreateAsync(RunningPeer peer, string name, BenchOptions options)
    {
        var connections = await peer.ConnectAsync(options.Callers);
        var callers = connections.Take(options.Callers).Select(connection => new PeerCaller(peer, connection, new string('v', options.ValueBytes))).ToArray();
        return new Series(name, options.Callers, caller => callers[caller].StepAsync()) { Peer = peer.Name };
    }

    private sealed class PeerCaller(RunningPeer peer, PeerConnection connection, string value)
    {
        private int _step;
        private long _id;

        public async Task StepAsync()
        {
            if (_step++ % (ReadsPerWrite + 1) == 0)
            {
                _id = await connection.InsertAsync(value);
                peer.Count();
                await connection.MarkAsync();
            }
            else if (await connection.ReadOwnAsync(_id) != value)
            {
                throw new BenchException($"The own row {_id} was not seen at {peer.Name}.");
            }
        }
    }

    private sealed class Caller(Session session, int id, int valueBytes)
    {
        private readonly string _rest = new('v', Math.Max(0, valueBytes - 12));
        private int _step;

        public long Changes { get; private set; }

        public long AtPrimary { get; private set; }

        public async Task StepAsync(LatencyHistogram reads, LatencyHistogram writes, CancellationToken cancellationToken)
        {
            var started = System.Diagnostics.Stopwatch.GetTimestamp();
            var isWrite = _step++ % (ReadsPerWrite + 1) == 0;
            if (isWrite)
            {
                await session.ExecuteAsync("UPDATE t SET v = ? WHERE id = ?", [$"{Changes + 1:D12}{_rest}", id], cancellationToken: cancellationToken);
                Changes++;
            }
            else
            {
                var answer = await session.ExecuteAsync("SELECT v FROM t WHERE id = ?", [id], cancellationToken: cancellationToken);
                AtPrimary += answer.Served.Primary ? 1 : 0;
                var found = answer.First.Rows.Single().GetString(0);
                if (Changes > 0 && found != $"{Changes:D12}{_rest}")
                {
                    throw new BenchException($"Row {id} is '{found}' after change {Changes} of the same session: a stale read.");
                }
            }

            var histogram = isWrite ? writes : reads;
            lock (histogram)
            {
                histogram.Record((long)System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalNanoseconds);
            }
        }
    }
}
