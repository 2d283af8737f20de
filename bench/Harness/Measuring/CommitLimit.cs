using System.Diagnostics;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What SQLite does alone: single rows, each a commit in the WAL that is synced before it is over. No network, no copies.</summary>
internal static class CommitLimit
{
    public const string Name = "SQLite alone: single-row commits, synchronous=FULL";
    private const int PageSizeBytes = 4096;

    /// <summary>Measures on the folder's disk. Blocks its thread.</summary>
    /// <exception cref="BenchException">Rows are missing.</exception>
    public static LoadResult Measure(string folder, TimeSpan duration, int valueBytes)
    {
        var own = Directory.CreateDirectory(Path.Combine(folder, "commit-limit")).FullName;
        try
        {
            var path = Path.Combine(own, "db.sqlite");
            DatabaseFile.CreateEmpty(path, PageSizeBytes);
            using var connection = SqliteConnection.Open(path);
            connection.Execute("PRAGMA synchronous=FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT NOT NULL)");
            var sql = $"INSERT INTO t (v) VALUES ('{new string('v', valueBytes)}')";
            var latency = new LatencyHistogram();
            var started = Stopwatch.GetTimestamp();
            using (var insert = connection.Prepare(sql))
            {
                do
                {
                    var before = Stopwatch.GetTimestamp();
                    insert.Run();
                    latency.Record((long)Stopwatch.GetElapsedTime(before).TotalNanoseconds);
                }
                while (Stopwatch.GetElapsedTime(started) < duration);
            }

            var elapsed = Stopwatch.GetElapsedTime(started);
            using var count = connection.Prepare("SELECT count(*) FROM t");
            count.Step();
            return count.GetInteger(0) == latency.Count
                ? new LoadResult(latency.Count, elapsed, latency, 0, 0, 0)
                : throw new BenchException($"SQLite alone has {count.GetInteger(0)} rows; {latency.Count} were inserted.");
        }
        finally
        {
            Directory.Delete(own, recursive: true);
        }
    }
}
