using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>The table of idempotency keys. Used in the writer's turns, on the writer's connection.</summary>
/// <remarks>Rows are written in the transactions that they tell of. Those that are too old, or too many, go a few at a time with those that come.</remarks>
internal sealed class RequestKeys(PrimaryOptions options)
{
    private const string FindSql = "SELECT request_hash, committed_at, result FROM main._rs_requests WHERE key=?1";
    private const string StoreSql = "INSERT OR REPLACE INTO main._rs_requests (key, request_hash, epoch, sequence, committed_at, result) VALUES (?1,?2,?3,?4,?5,?6)";
    private const string OldestSql = "SELECT key, committed_at FROM main._rs_requests WHERE key<>'' ORDER BY committed_at LIMIT ?1";
    private const string DeleteSql = "DELETE FROM main._rs_requests WHERE key=?1";
    private const string CountSql = "SELECT count(*) FROM main._rs_requests WHERE key<>''";
    // The row of the empty key, which no request has, stands for all that are gone: its time is that of the newest.
    private const string PrunedSql = "SELECT committed_at FROM main._rs_requests WHERE key=''";
    private const string MarkPrunedSql = "INSERT OR REPLACE INTO main._rs_requests (key, request_hash, epoch, sequence, committed_at) VALUES ('',x'',0,0,?1)";
    private const int PrunedAtLeast = 8;

    private readonly List<string> _old = [];
    private long _count = -1; // rows that are committed; counted when it is needed first
    private long _change; // by the open transaction

    /// <summary>Rows of commits before this have lost their force. Microseconds since 1970.</summary>
    public long Cutoff(long nowMicroseconds) => nowMicroseconds - (options.IdempotencyRetention.Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>The row of a key, however old.</summary>
    /// <exception cref="SqliteException">SQLite refused it.</exception>
    public static KeyRow? Find(OwnerSql sql, string key)
    {
        var find = sql.Prepare(FindSql).Bind(1, key);
        try
        {
            return find.Step()
                ? new KeyRow(find.GetBlob(0).ToArray(), find.GetInteger(1), find.IsNull(2) ? null : find.GetBlob(2).ToArray())
                : null;
        }
        finally
        {
            find.Reset();
        }
    }

    /// <summary>The newest commit whose row was taken away, in microseconds since 1970: of a key that was used up to then nothing is known.</summary>
    /// <returns><see langword="null"/> while every key that ever was is here.</returns>
    /// <exception cref="SqliteException">SQLite refused it.</exception>
    public static long? PrunedTo(OwnerSql sql)
    {
        var pruned = sql.Prepare(PrunedSql);
        try
        {
            return pruned.Step() ? pruned.GetInteger(0) : null;
        }
        finally
        {
            pruned.Reset();
        }
    }

    /// <summary>Writes rows, and takes away old ones: more than come, so that they cannot pile up.</summary>
    /// <exception cref="SqliteException">SQLite refused it; the transaction is to be rolled back.</exception>
    public void Store(OwnerSql sql, IReadOnlyList<NewKey> rows, uint epoch, long committedAt)
    {
        if (_count < 0)
        {
            _count = Count(sql);
        }

        _change = 0;
        foreach (var row in rows)
        {
            _change += row.Replaces ? 0 : 1;
            var store = sql.Prepare(StoreSql).Bind(1, row.Key).Bind(2, row.RequestHash).Bind(3, epoch).Bind(4, (long)row.Sequence).Bind(5, committedAt);
            if (row.Result is { } result)
            {
                store.Bind(6, result);
            }
            else
            {
                store.Bind(6, (string?)null);
            }

            store.Run();
        }

        Prune(sql, (rows.Count * 2) + PrunedAtLeast, Cutoff(committedAt));
    }

    /// <summary>The transaction that rows were written in has ended.</summary>
    public void End(bool committed)
    {
        _count += committed && _count >= 0 ? _change : 0;
        _change = 0;
    }

    /// <summary>The table is another one now.</summary>
    public void Recount() => (_count, _change) = (-1, 0);

    private void Prune(OwnerSql sql, int most, long cutoff)
    {
        var excess = _count + _change - options.MaxIdempotencyKeys;
        var newest = 0L;
        var oldest = sql.Prepare(OldestSql).Bind(1, most);
        try
        {
            while (oldest.Step() && (oldest.GetInteger(1) < cutoff || _old.Count < excess))
            {
                _old.Add(oldest.GetText(0)!);
                newest = oldest.GetInteger(1);
            }
        }
        finally
        {
            oldest.Reset();
        }

        if (_old.Count > 0)
        {
            // Never back: a clock that was set back does not make a key known again.
            sql.Prepare(MarkPrunedSql).Bind(1, Math.Max(newest, PrunedTo(sql) ?? 0)).Run();
        }

        foreach (var key in _old)
        {
            sql.Prepare(DeleteSql).Bind(1, key).Run();
        }

        _change -= _old.Count;
        _old.Clear();
    }

    private static long Count(OwnerSql sql)
    {
        var count = sql.Prepare(CountSql);
        try
        {
            count.Step();
            return count.GetInteger(0);
        }
        finally
        {
            count.Reset();
        }
    }
}

/// <summary>A row to be written.</summary>
/// <param name="Key">The key.</param>
/// <param name="RequestHash">Of the request; empty for a marker.</param>
/// <param name="Sequence">Of the write that it tells of.</param>
/// <param name="Result">Its answer.</param>
/// <param name="Replaces">There is an old row of that key, without force.</param>
internal readonly record struct NewKey(string Key, byte[] RequestHash, ulong Sequence, byte[]? Result, bool Replaces);
