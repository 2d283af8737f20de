namespace ReplicatedSqlite.Cli;

/// <summary>The names to complete with, read when they are first wanted and again after something has changed them.</summary>
internal sealed class SchemaReader
{
    private const string Sql =
        "SELECT s.name, c.name FROM sqlite_schema s, pragma_table_info(s.name) c WHERE s.type IN ('table', 'view') AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND s.name NOT LIKE '\\_rs\\_%' ESCAPE '\\' LIMIT 20000";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    private SchemaNames? _names;

    /// <summary>They may be others by now.</summary>
    public void Forget() => _names = null;

    /// <summary>The names; none if they cannot be had quickly.</summary>
    public SchemaNames Get(Session session)
    {
        if (_names is not null) return _names;
        try
        {
            using var patience = new CancellationTokenSource(_patience);
            var found = session.QueryAsync(Sql, cancellationToken: patience.Token).GetAwaiter().GetResult(); // between two keys
            var columns = new Dictionary<string, IReadOnlyList<string>>(StringComparer.OrdinalIgnoreCase);
            foreach (var row in found.Rows)
            {
                if (!columns.TryGetValue(row.GetString(0), out var list)) columns.Add(row.GetString(0), list = new List<string>());
                ((List<string>)list).Add(row.GetString(1));
            }

            return _names = new SchemaNames(columns);
        }
        catch (Exception e) when (e is ReplicatedSqliteException or OperationCanceledException)
        {
            return SchemaNames.None;
        }
    }
}
