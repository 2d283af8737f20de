using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>What was asked of each database through this node's HTTP API since it started, by the hour: the figures that <c>wrangler d1 info</c> and <c>insights</c> show.</summary>
/// <remarks>Safe for use by any thread. At its bounds the databases used longest ago go, and SQL that comes new to a database is counted without its text.</remarks>
internal sealed class UsageLog(TimeProvider time)
{
    private const int MaxDatabases = 10_000;
    private const long MaxBytes = 64 << 20; // of all databases

    private readonly Lock _gate = new();
    private readonly Dictionary<string, DatabaseUsage> _databases = new(StringComparer.OrdinalIgnoreCase); // by id
    private long _bytes; // under _gate

    /// <summary>Memory that is taken, about.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _bytes;
            }
        }
    }

    /// <summary>Counts an answered request.</summary>
    /// <param name="databaseId">Of which database.</param>
    /// <param name="sql">Its text without its values: whoever may see a database's figures need not see its data.</param>
    /// <param name="response">The answer.</param>
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
        var start = new DateTimeOffset(now.Year, now.Month, now.Day, now.Hour, 0, 0, TimeSpan.Zero);
        lock (_gate)
        {
            var usage = Of(databaseId, now);
            var before = usage.Bytes;
            var hour = usage.Hour(start);
            hour.ReadQueries += reads;
            hour.WriteQueries += writes;
            hour.RowsRead += read;
            hour.RowsWritten += written;
            usage.Query(hour, sql)?.Add(read, written, rows, duration);
            _bytes += usage.Bytes - before;
            while (_bytes > MaxBytes)
            {
                ForgetOldest(); // the one that is used now too, if it alone is too much: it begins anew
            }
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

    private DatabaseUsage Of(string databaseId, DateTimeOffset now)
    {
        if (!_databases.TryGetValue(databaseId, out var usage))
        {
            if (_databases.Count >= MaxDatabases)
            {
                ForgetOldest();
            }

            _databases.Add(databaseId, usage = new DatabaseUsage());
        }

        usage.LastUse = now;
        return usage;
    }

    private void ForgetOldest()
    {
        var (id, oldest) = _databases.MinBy(entry => entry.Value.LastUse);
        _databases.Remove(id);
        _bytes -= oldest.Bytes;
    }
}
