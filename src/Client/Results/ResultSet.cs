using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>What one statement returned and did.</summary>
public sealed class ResultSet
{
    internal ResultSet(Result result, bool mayHaveWritten)
    {
        Columns = result.Columns.Count == 0 ? ResultColumns.None : new ResultColumns(result.Columns);
        Rows = new Rows(RowBlock.Create(Columns, result.Rows, mayHaveWritten));
        Meta = StatementMeta.From(result.Meta);
    }

    /// <summary>Reads a result in the contract's form, as another client of the contract may hold it.</summary>
    /// <exception cref="ReplicatedSqliteException">It is damaged.</exception>
    public static ResultSet Decode(Result result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return new ResultSet(result, mayHaveWritten: false);
    }

    /// <summary>The columns; none for a statement that returns nothing.</summary>
    public ResultColumns Columns { get; }

    /// <summary>The rows.</summary>
    public Rows Rows { get; }

    /// <summary>The rows as <typeparamref name="T"/>, as <see cref="PreparedStatement.AllAsync{T}"/> gives them.</summary>
    public IReadOnlyList<T?> As<T>()
    {
        var map = RowMapper<T>.For(Columns);
        return [.. Rows.Select(map)];
    }

    /// <summary>What the statement did.</summary>
    public StatementMeta Meta { get; }
}
