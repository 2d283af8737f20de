namespace ReplicatedSqlite.Bench.Harness;

/// <summary>How many bytes of log does a write take, and what does finding its patches cost beside whole pages? In process, without network and disk syncs.</summary>
/// <remarks>The limit of a line of bytes is what it is to stay below; of a line of time, the same writes with whole pages, in the same run.</remarks>
internal sealed class BytesScenario : Scenario
{
    private const int Rows = 20_000;
    private const int QuickRows = 1000;

    private static readonly (string Name, string Schema, string Write, int? Limit)[] _workloads =
    [
        ("sequential insert", "CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB)", "INSERT INTO t(v) VALUES (randomblob(100))", 230),
        ("insert with one index", "CREATE TABLE t(id INTEGER PRIMARY KEY, k INTEGER, v BLOB); CREATE INDEX i ON t(k)", "INSERT INTO t(k, v) VALUES (random(), randomblob(100))", 800),
        ("random update", "CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER, v BLOB)", $"UPDATE t SET n = n + 1 WHERE id = abs(random()) % {Rows} + 1", 60),
        ("random text key", "CREATE TABLE t(k TEXT PRIMARY KEY, v BLOB)", "INSERT INTO t(k, v) VALUES (lower(hex(randomblob(16))), randomblob(100))", null),
    ];

    public override bool NeedsCluster => false;

    public override Task<IReadOnlyList<BenchResult>> RunAsync(ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        var results = new List<BenchResult>();
        var writes = (int)Math.Max(256, options.Duration.TotalSeconds * 400);
        var rows = options.IsQuick ? QuickRows : Rows;
        foreach (var (name, schema, usual, limit) in _workloads)
        {
            var write = usual.Replace($"% {Rows}", $"% {rows}", StringComparison.Ordinal);
            using (var lone = new WrittenLog(schema, rows, write))
            {
                var bytes = lone.Run(writes, perGroup: 1, cancellationToken);
                results.Add(Line($"{name}: patch", "B/write", writes, bytes.Patch, limit));
                results.Add(Line($"{name}: checksums of pages", "B/write", writes, bytes.Checksums, null));
                results.Add(Line($"{name}: rest of a lone entry", "B/write", writes, bytes.Rest, 110));
                results.Add(Line($"{name}: whole pages instead", "B/write", writes, bytes.WholePages, null));
            }

            using var grouped = new WrittenLog(schema, rows, write);
            results.Add(Line($"{name}: rest, groups of 16", "B/write", writes, grouped.Run(writes, perGroup: 16, cancellationToken).Rest, 12));
            var time = grouped.Run(4 * writes, perGroup: 64, cancellationToken);
            results.Add(new BenchResult($"{name}: encoding, groups of 64", "us/write", 4 * writes, time.EncodeMicroseconds, null, null, time.WholeMicroseconds, time.EncodeMicroseconds / time.WholeMicroseconds));
        }

        return Task.FromResult<IReadOnlyList<BenchResult>>(results);
    }

    private static BenchResult Line(string name, string unit, int count, double value, double? limit) =>
        new(name, unit, count, value, null, value, limit, limit is null ? null : value / limit);
}
