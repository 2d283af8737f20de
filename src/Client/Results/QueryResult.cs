using System.Collections;

namespace ReplicatedSqlite;

/// <summary>The rows of a statement as <typeparamref name="T"/>, and what came with them.</summary>
public sealed class QueryResult<T> : IReadOnlyList<T>
{
    private readonly T[] _rows;

    private QueryResult(T[] rows, StatementMeta meta, Bookmark bookmark, ServedBy served)
    {
        _rows = rows;
        Meta = meta;
        Bookmark = bookmark;
        Served = served;
    }

    /// <inheritdoc/>
    public int Count => _rows.Length;

    /// <inheritdoc/>
    public T this[int index] => _rows[index];

    /// <summary>What the statement did.</summary>
    public StatementMeta Meta { get; }

    /// <summary>At or after what was read or written.</summary>
    public Bookmark Bookmark { get; }

    /// <summary>Who answered.</summary>
    public ServedBy Served { get; }

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_rows).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal static QueryResult<T> From(ResultSet result, SqlResponse response)
    {
        var map = RowMapper<T>.For(result.Columns);
        var rows = new T[result.Rows.Count];
        for (var i = 0; i < rows.Length; i++) rows[i] = map(result.Rows[i])!;
        return new QueryResult<T>(rows, result.Meta, response.Bookmark, response.Served);
    }
}
