using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>What was asked of each database through this node's HTTP API since it started, by the hour: the figures that <c>wrangler d1 info</c> and <c>insights</c> show.</summary>
/// <remarks>Safe for use by any thread. At its bounds the database used longest ago goes, and SQL that comes new is counted without its text.</remarks>
internal sealed class UsageLog(TimeProvider time)
{
    private const int MaxDatabases = 10_000;
    private const int MaxHours = 24 * 31;
    private const int MaxSqlChars = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Usage> _databases = new(StringComparer.OrdinalIgnoreCase); // by id

    /// <summary>Counts an answered request.</summary>
    public void Add(string databaseId, string sql, ExecuteResponse response)
    {
        var (reads, writes, read, written, rows, duration) = (0L, 0L, 0L, 0L, 0L, 0.0);
        foreach (var result in response.Results)
        {
            var meta = result.Meta ?? new Meta();
            var isWrite = meta.ChangedDb || meta.RowsWritten > 0;
            (reads, writes) = isWrite ? (reads, writes + 1) : (reads + 1, writes);
            read += meta.RowsRead;
            written += meta.RowsWritten;
            rows += result.Rows?.RowCount ?? 0;
            duration += meta.SqlDurationMs;
        }

        var now = time.GetUtcNow();
        var hour = new DateTimeOffset(now.Year, now.Month, now.Day, now.Hour, 0, 0, TimeSpan.Zero);
        lock (_gate)
        {
            var usage = Of(databaseId, now);
            var bucket = usage.Hour(hour);
            bucket.ReadQueries += reads;
            bucket.WriteQueries += writes;
            bucket.RowsRead += read;
            bucket.RowsWritten += written;
            bucket.Query(sql.Length <= MaxSqlChars ? sql : sql[..MaxSqlChars])?.Add(read, written, rows, duration);
        }
    }

    /// <summary>The sum over hours, both inclusive.</summary>
    public UsageHour Sum(string databaseId, DateTimeOffset from, DateTimeOffset to)
    {
        var sum = new UsageHour(from);
        lock (_gate)
        {
            if (_databases.TryGetValue(databaseId, out var usage))
            {
                foreach (var hour in usage.Hours.Where(hour => hour.Start >= from && hour.Start <= to))
                {
                    sum.Add(hour);
                }
            }
        }

        return sum;
    }

    private Usage Of(string databaseId, DateTimeOffset now)
    {
        if (!_databases.TryGetValue(databaseId, out var usage))
        {
            if (_databases.Count >= MaxDatabases)
            {
                _databases.Remove(_databases.MinBy(entry => entry.Value.LastUse).Key);
            }

            _databases.Add(databaseId, usage = new Usage());
        }

        usage.LastUse = now;
        return usage;
    }

    private sealed class Usage
    {
        public Queue<UsageHour> Hours { get; } = [];

        public DateTimeOffset LastUse { get; set; }

        private UsageHour? _last;

        public UsageHour Hour(DateTimeOffset start)
        {
            if (_last is null || start > _last.Start) // a clock that was set back goes on in the hour that it had
            {
                Hours.Enqueue(_last = new UsageHour(start));
                if (Hours.Count > MaxHours)
                {
                    Hours.Dequeue();
                }
            }

            return _last;
        }
    }
}
