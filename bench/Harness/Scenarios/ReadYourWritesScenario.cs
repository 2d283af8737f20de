using System.Diagnostics;
using System.Globalization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>A session writes, then reads its row at the replica of a region: what does the bookmark's wait add to a read, and what do both take together?</summary>
/// <remarks>Every other time the write goes through the replica's own node, as a client of that region sends it; else to the primary's, as the peers need it.</remarks>
internal sealed class ReadYourWritesScenario : Scenario
{
    private const string Insert = "INSERT INTO t (v) VALUES (?)";
    private const double MostBeyondMs = 3; // wanted
    private const string Select = "SELECT v FROM t WHERE id = ?";

    public override LimitKind Limits => LimitKind.Disk | LimitKind.EchoOfOne | LimitKind.RoundTrip;

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        await using var table = new BenchTable(server);
        await table.CreateAsync(cancellationToken: cancellationToken);
        await table.CheckRowsAsync(0, cancellationToken);
        await using var peers = await PeerSet.StartAsync(options, server, remarks);
        var far = options.Matrix is not null;
        List<Place> places = [.. Enumerable.Range(far ? 0 : 1, far ? server.Ready.Nodes.Count : 1).Select(node => new Place(table, table.Replica(node), server.Ready.Nodes[node].Region, options, isPrimary: node == 0))];
        var theirs = new List<PeerPlace>();
        foreach (var peer in peers.Peers.Where(static peer => peer.HasReadYourWrites))
        {
            theirs.Add(new PeerPlace(peer, (await peer.ConnectAsync(1))[0], options));
        }

        var trips = places.ToDictionary(static place => place, place => far ? TripOf(server, place.Region, options) : (double?)null);
        List<Func<bool, Task>> steps = [.. places.Select(place => (Func<bool, Task>)(record => place.StepAsync(record, cancellationToken))), .. theirs.Select(static peer => (Func<bool, Task>)peer.StepAsync)];
        await RepeatAsync(steps, options.Warmup, record: false);
        await RepeatAsync(steps, options.Duration * steps.Count, record: true);
        await table.CheckRowsAsync(places.Sum(static place => place.Writes), cancellationToken);
        foreach (var peer in theirs)
        {
            await peer.Peer.CheckAsync();
        }

        remarks.Plot(new(
            "latency", "A read that waits for one's own write, at a replica", PlotKind.Percentiles, "percentile", "milliseconds",
            [.. places.Select(static place => place.Own.PlotLine($"ReplicatedSqlite, {place.Region}")), .. theirs.Select(static peer => peer.Own.PlotLine(peer.Peer.Name))]));
        return [.. places.SelectMany(place => place.Report(trips[place], places[0])), .. theirs.SelectMany(peer => peer.Report(places[^1]))];
    }

    // One after the other, so that all meet the same machine and nobody's writes delay another's.
    private static async Task RepeatAsync(List<Func<bool, Task>> steps, TimeSpan duration, bool record)
    {
        var started = Stopwatch.GetTimestamp();
        do
        {
            foreach (var step in steps)
            {
                await step(record);
            }
        }
        while (Stopwatch.GetElapsedTime(started) < duration);
    }

    // From the region to the primary's process and back.
    private static double? TripOf(ServerProcess server, string region, BenchOptions options) =>
        RoundTripLimit.Measure(server.NetworkOf(server.Ready.Nodes.First(node => node.Region == region)), server.Ready.Trip, options.LimitTime).Latency.Percentile(50) / 1e6;

    private sealed class Place(BenchTable table, ReplicatedDatabase near, string region, BenchOptions options, bool isPrimary)
    {
        private readonly string _value = new('v', options.ValueBytes);
        private readonly LatencyHistogram _through = new();
        private readonly LatencyHistogram _both = new();
        private readonly LatencyHistogram _direct = new();
        private readonly LatencyHistogram _free = new();
        private long _atPrimary;

        public string Region => region;

        /// <summary>Reads with the bookmark of a write that has just been answered.</summary>
        public LatencyHistogram Own { get; } = new();

        public long Writes { get; private set; }

        public async Task StepAsync(bool record, CancellationToken cancellationToken)
        {
            var session = near.WithSession();
            var started = Stopwatch.GetTimestamp();
            var written = await session.ExecuteAsync(Insert, [_value], cancellationToken: cancellationToken);
            var answered = Stopwatch.GetTimestamp();
            var seen = await session.ExecuteAsync(Select, [written.LastRowId], cancellationToken: cancellationToken);
            var read = Stopwatch.GetTimestamp();
            Check(seen, written.LastRowId);
            var again = await near.WithSession().ExecuteAsync(Select, [written.LastRowId], cancellationToken: cancellationToken);
            var freely = Stopwatch.GetTimestamp();
            Check(again, written.LastRowId);

            // As one does with databases that have no routing: to the primary, then with what it answered to the copy.
            var direct = await table.Primary.WithSession().ExecuteAsync(Insert, [_value], cancellationToken: cancellationToken);
            var directly = Stopwatch.GetTimestamp();
            var own = await near.WithSession(direct.Bookmark).ExecuteAsync(Select, [direct.LastRowId], cancellationToken: cancellationToken);
            var ended = Stopwatch.GetTimestamp();
            Check(own, direct.LastRowId);
            Writes += 2;
            if (record)
            {
                _through.Record(Ns(started, answered));
                _both.Record(Ns(started, read));
                Own.Record(Ns(answered, read));
                _free.Record(Ns(read, freely));
                _direct.Record(Ns(directly, ended));
                _atPrimary += seen.Served.Primary && !isPrimary ? 1 : 0;
            }
        }

        public IEnumerable<BenchResult> Report(double? trip, Place atPrimary)
        {
            yield return _through.Report($"{region}: write through the region's node", _through.Count) with { Against = LimitKind.Disk };
            yield return Own.Report($"{region}: read of the own write", Own.Count) with { Against = LimitKind.EchoOfOne };
            yield return _direct.Report($"{region}: read of a write made at the primary's node", _direct.Count) with { Against = LimitKind.EchoOfOne };
            yield return _free.Report($"{region}: read without a bookmark", _free.Count) with { Against = LimitKind.EchoOfOne };
            yield return Added($"{region}: added by the bookmark's wait", Own);
            yield return Added($"{region}: added by the bookmark's wait, write made at the primary's node", _direct);
            var both = _both.Report($"{region}: write and read", _both.Count);
            yield return trip is null ? both : both with { Limit = trip, Ratio = both.P50 / trip };
            if (trip is not null && !isPrimary)
            {
                // What one write in the primary's own region takes is the quorum's part.
                var beyond = both.P50 - trip.Value - (atPrimary._through.Percentile(50) / 1e6);
                yield return new($"{region}: write and read, beyond a round trip and a write in the primary's region", "ms", _both.Count, beyond, null, beyond, MostBeyondMs, beyond / MostBeyondMs);
            }

            yield return new($"{region}: reads that the primary answered in the replica's place", "1", Own.Count, _atPrimary, null, null, null, null);
        }

        private BenchResult Added(string name, LatencyHistogram with) =>
            new(name, "ms", with.Count, (with.Percentile(50) - _free.Percentile(50)) / 1e6, (with.Percentile(99) - _free.Percentile(99)) / 1e6, (with.Mean - _free.Mean) / 1e6, null, null);

        private void Check(SqlResponse answer, long id)
        {
            if (answer.First.Rows.Count != 1 || answer.First.Rows[0].GetString(0) != _value)
            {
                throw new BenchException(string.Create(CultureInfo.InvariantCulture, $"The session's own row {id} was not seen in {region}: a stale read."));
            }
        }
    }

    private sealed class PeerPlace(RunningPeer peer, PeerConnection connection, BenchOptions options)
    {
        private readonly string _value = new('v', options.ValueBytes);
        private readonly LatencyHistogram _write = new();
        private readonly LatencyHistogram _free = new();

        public RunningPeer Peer => peer;

        public LatencyHistogram Own { get; } = new();

        public async Task StepAsync(bool record)
        {
            var started = Stopwatch.GetTimestamp();
            var id = await connection.InsertAsync(_value);
            peer.Count();
            await connection.MarkAsync();
            var written = Stopwatch.GetTimestamp();
            var found = await connection.ReadOwnAsync(id);
            var read = Stopwatch.GetTimestamp();
            _ = await connection.ReadAsync(id);
            var ended = Stopwatch.GetTimestamp();
            if (found != _value)
            {
                throw new BenchException($"The own row {id} was not seen at {peer.Name}.");
            }

            if (record)
            {
                _write.Record(Ns(started, written));
                Own.Record(Ns(written, read));
                _free.Record(Ns(read, ended));
            }
        }

        public IEnumerable<BenchResult> Report(Place ours)
        {
            yield return _write.Report("write", _write.Count) with { Peer = peer.Name };
            yield return Own.Report("read of the own write", Own.Count) with { Peer = peer.Name, PeerRatio = ours.Own.Percentile(50) / Own.Percentile(50) };
            yield return _free.Report("read without waiting", _free.Count) with { Peer = peer.Name };
            yield return new(
                "added by the wait", "ms", Own.Count, (Own.Percentile(50) - _free.Percentile(50)) / 1e6, (Own.Percentile(99) - _free.Percentile(99)) / 1e6, (Own.Mean - _free.Mean) / 1e6, null, null, peer.Name);
        }
    }

    private static long Ns(long from, long to) => (long)Stopwatch.GetElapsedTime(from, to).TotalNanoseconds;
}
