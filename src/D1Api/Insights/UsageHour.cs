namespace ReplicatedSqlite.D1Api;

/// <summary>One hour, or the sum of several.</summary>
internal sealed class UsageHour(DateTimeOffset start)
{
    private readonly Dictionary<string, QueryUsage> _queries = new(StringComparer.Ordinal);

    public DateTimeOffset Start { get; } = start;

    public long ReadQueries { get; set; }

    public long WriteQueries { get; set; }

    public long RowsRead { get; set; }

    public long RowsWritten { get; set; }

    /// <summary>By text.</summary>
    public IReadOnlyDictionary<string, QueryUsage> Queries => _queries;

    public QueryUsage Query(string sql)
    {
        if (!_queries.TryGetValue(sql, out var query))
        {
            _queries.Add(sql, query = new QueryUsage());
        }

        return query;
    }

    public void Add(UsageHour other)
    {
        ReadQueries += other.ReadQueries;
        WriteQueries += other.WriteQueries;
        RowsRead += other.RowsRead;
        RowsWritten += other.RowsWritten;
        foreach (var (sql, query) in other.Queries)
        {
            Query(sql).Add(query);
        }
    }
}
