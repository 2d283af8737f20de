namespace ReplicatedSqlite.D1Api;

/// <summary>What was asked of one database, by the hour. Each SQL text is kept once, however many hours it was asked in.</summary>
internal sealed class DatabaseUsage
{
    private const int MaxHours = 24 * 31;
    private const int MaxTexts = 500;
    private const int HourBytes = 256; // an hour, or one text's figures in it, with what the dictionaries take: rather too much

    private readonly Queue<UsageHour> _hours = [];
    private readonly Dictionary<string, int> _texts = new(StringComparer.Ordinal); // in how many hours
    private UsageHour? _last;

    public DateTimeOffset LastUse { get; set; }

    /// <summary>Memory that it takes, about.</summary>
    public long Bytes { get; private set; }

    public IEnumerable<UsageHour> Hours => _hours;

    /// <summary>The hour that begins then, or the last one if the clock was set back.</summary>
    public UsageHour Hour(DateTimeOffset start)
    {
        if (_last is null || start > _last.Start)
        {
            _hours.Enqueue(_last = new UsageHour(start));
            Bytes += HourBytes;
            if (_hours.Count > MaxHours)
            {
                Forget(_hours.Dequeue());
            }
        }

        return _last;
    }

    /// <summary>The figures of a text in an hour; <see langword="null"/> if there are too many texts already.</summary>
    public QueryUsage? Query(UsageHour hour, string sql)
    {
        if (hour.Queries.TryGetValue(sql, out var known))
        {
            return known;
        }

        if (!_texts.TryGetValue(sql, out var hours))
        {
            if (_texts.Count >= MaxTexts)
            {
                return null;
            }

            Bytes += BytesOf(sql);
        }

        _texts[sql] = hours + 1;
        Bytes += HourBytes;
        return hour.Query(sql);
    }

    private void Forget(UsageHour hour)
    {
        Bytes -= HourBytes * (1 + hour.Queries.Count);
        foreach (var sql in hour.Queries.Keys)
        {
            if (--_texts[sql] == 0)
            {
                _texts.Remove(sql);
                Bytes -= BytesOf(sql);
            }
        }
    }

    private static long BytesOf(string sql) => (sql.Length * sizeof(char)) + HourBytes;
}
