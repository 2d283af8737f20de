namespace ReplicatedSqlite;

/// <summary>The data sources behind connections that were made from a connection string: one for each text, shared. Thread-safe.</summary>
/// <remarks>Bookmarks are no part of it: a session belongs to a connection, from its <c>Open</c> to its <c>Close</c>.</remarks>
internal static class DataSourcePool
{
    private const int MaxIdle = 32; // beyond it the one that was idle longest is closed

    private static readonly Lock _gate = new();
    private static readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    private static readonly List<Entry> _cleared = []; // still used
    private static long _idleClock;

    public static ReplicatedSqliteDataSource Rent(string connectionString)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(connectionString, out var entry))
            {
                entry = new Entry(ReplicatedSqliteDataSource.Create(connectionString));
                _entries.Add(connectionString, entry);
            }

            entry.Users++;
            return entry.Source;
        }
    }

    public static void Return(string connectionString, ReplicatedSqliteDataSource source)
    {
        ReplicatedSqliteDataSource? closing = null;
        lock (_gate)
        {
            if (!_entries.TryGetValue(connectionString, out var entry) || entry.Source != source)
            {
                entry = _cleared.Find(cleared => cleared.Source == source);
                if (entry is null) return;
                if (--entry.Users == 0)
                {
                    _cleared.Remove(entry);
                    closing = source;
                }
            }
            else if (--entry.Users == 0)
            {
                entry.IdleSince = ++_idleClock;
                closing = CloseLongestIdle();
            }
        }

        closing?.Dispose();
    }

    /// <summary>Closes what nobody uses; the rest when its last connection is closed.</summary>
    public static void Clear(string? connectionString = null)
    {
        var closing = new List<ReplicatedSqliteDataSource>();
        lock (_gate)
        {
            foreach (var (text, entry) in _entries.Where(pair => connectionString is null || pair.Key == connectionString).ToList())
            {
                _entries.Remove(text);
                if (entry.Users == 0) closing.Add(entry.Source);
                else _cleared.Add(entry);
            }
        }

        foreach (var source in closing) source.Dispose();
    }

    private static ReplicatedSqliteDataSource? CloseLongestIdle()
    {
        var idle = _entries.Where(pair => pair.Value.Users == 0).ToList();
        if (idle.Count <= MaxIdle) return null;
        var (text, oldest) = idle.MinBy(pair => pair.Value.IdleSince);
        _entries.Remove(text);
        return oldest.Source;
    }

    private sealed class Entry(ReplicatedSqliteDataSource source)
    {
        public ReplicatedSqliteDataSource Source { get; } = source;

        public int Users { get; set; }

        public long IdleSince { get; set; }
    }
}
