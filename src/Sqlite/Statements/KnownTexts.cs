using System.Collections.Concurrent;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Texts of SQL that something is known of, so that it need not be found out again: that they write, or that they take long.</summary>
/// <remarks>Thread-safe; shared by the readers of one database, each of which looks several times a request: to look takes no lock. Bounded: when it is full, the older half goes.</remarks>
public sealed class KnownTexts(int capacity = 2048)
{
    private const int MaxLetters = 4096; // longer texts cost more to keep than they save

    private readonly Lock _gate = new();
    private volatile ConcurrentDictionary<string, bool> _recent = New(); // written under _gate, as what is in it
    private volatile ConcurrentDictionary<string, bool> _older = New();
    private volatile bool _any;
    private int _recentCount; // under _gate

    /// <summary>Whether a text is known.</summary>
    public bool Contains(string sql)
    {
        if (!_any || sql.Length is 0 or > MaxLetters)
        {
            return false;
        }

        if (_recent.ContainsKey(sql))
        {
            return true;
        }

        if (!_older.ContainsKey(sql))
        {
            return false;
        }

        Add(sql); // in use, so it outlives its generation
        return true;
    }

    /// <summary>Notes a text.</summary>
    public void Add(string sql)
    {
        if (sql.Length is 0 or > MaxLetters)
        {
            return;
        }

        lock (_gate)
        {
            if (_recentCount >= capacity / 2)
            {
                _older = _recent;
                _recent = New();
                _recentCount = 0;
            }

            _recentCount += _recent.TryAdd(sql, true) ? 1 : 0;
            _any = true;
        }
    }

    // One writer at a time, so one lock inside; the default is one a processor.
    private static ConcurrentDictionary<string, bool> New() => new(concurrencyLevel: 1, capacity: 31, StringComparer.Ordinal);
}
