namespace ReplicatedSqlite.Sqlite;

/// <summary>Texts of SQL that something is known of, so that it need not be found out again: that they write, or that they take long.</summary>
/// <remarks>Thread-safe; shared by the readers of one database. Bounded: when it is full, the older half goes.</remarks>
public sealed class KnownTexts(int capacity = 2048)
{
    private const int MaxLetters = 4096; // longer texts cost more to keep than they save

    private readonly Lock _gate = new();
    private HashSet<string> _recent = new(StringComparer.Ordinal);
    private HashSet<string> _older = new(StringComparer.Ordinal);

    /// <summary>Whether a text is known.</summary>
    public bool Contains(string sql)
    {
        if (sql.Length is 0 or > MaxLetters)
        {
            return false;
        }

        lock (_gate)
        {
            return _recent.Contains(sql) || (_older.Contains(sql) && Remember(sql));
        }
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
            Remember(sql);
        }
    }

    private bool Remember(string sql)
    {
        if (_recent.Count >= capacity / 2)
        {
            (_older, _recent) = (_recent, _older);
            _recent.Clear();
        }

        _recent.Add(sql);
        return true;
    }
}
