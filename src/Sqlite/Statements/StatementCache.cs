namespace ReplicatedSqlite.Sqlite;

/// <summary>The prepared statements of one connection by their text, least recently used first out.</summary>
/// <remarks>Bounded by number and by length of text. A statement in use is never handed out twice.</remarks>
internal sealed class StatementCache(int maxStatements, int maxSqlLength)
{
    private readonly Dictionary<string, LinkedListNode<PreparedSql>> _byText = new(StringComparer.Ordinal);
    private readonly LinkedList<PreparedSql> _byUse = new(); // the most recently used is the first
    private int _sqlLength;

    /// <summary>How many statements are kept, those in use included.</summary>
    public int Count => _byText.Count;

    /// <summary>A free statement with this text.</summary>
    public PreparedSql? Take(string sql)
    {
        if (!_byText.TryGetValue(sql, out var node) || node.Value.InUse)
        {
            return null;
        }

        if (_byUse.First != node)
        {
            _byUse.Remove(node);
            _byUse.AddFirst(node);
        }

        node.Value.InUse = true;
        return node.Value;
    }

    /// <summary>Keeps a new statement, unless one with its text is there or it is too long.</summary>
    /// <returns><see langword="false"/>: the caller frees it after use.</returns>
    public bool Add(PreparedSql statement)
    {
        if (statement.CacheKey == null || statement.SqlBytes > maxSqlLength / 4 || _byText.ContainsKey(statement.CacheKey))
        {
            return false;
        }

        _byText.Add(statement.CacheKey, _byUse.AddFirst(statement));
        _sqlLength += statement.SqlBytes;
        while (_byText.Count > maxStatements || _sqlLength > maxSqlLength)
        {
            Remove(_byUse.Last!);
        }

        return true;
    }

    /// <summary>Lets all go; those in use when they come back.</summary>
    public void Clear()
    {
        while (_byUse.Last != null)
        {
            Remove(_byUse.Last);
        }
    }

    private void Remove(LinkedListNode<PreparedSql> node)
    {
        var statement = node.Value;
        _byUse.Remove(node);
        _byText.Remove(statement.CacheKey!);
        _sqlLength -= statement.SqlBytes;
        if (statement.InUse)
        {
            statement.Evicted = true;
        }
        else
        {
            statement.Free();
        }
    }
}
