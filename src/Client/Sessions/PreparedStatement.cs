namespace ReplicatedSqlite;

/// <summary>SQL in a session, to be bound to values and run. Immutable and thread-safe: binding gives another one.</summary>
/// <example>
/// <code>
/// var orders = await session.Prepare("SELECT id, total FROM orders WHERE customer = ?").Bind(7).AllAsync&lt;Order&gt;();
/// </code>
/// </example>
public sealed class PreparedStatement
{
    private readonly SqlExecutor _executor;

    internal PreparedStatement(SqlExecutor executor, SqlStatement statement)
    {
        _executor = executor;
        Statement = statement;
    }

    /// <summary>The SQL with its values.</summary>
    public SqlStatement Statement { get; }

    /// <summary>The SQL with its values: <c>session.BatchAsync([insert.Bind(1), insert.Bind(2)])</c>.</summary>
    public static implicit operator SqlStatement(PreparedStatement prepared)
    {
        ArgumentNullException.ThrowIfNull(prepared);
        return prepared.Statement;
    }

    /// <summary>The same as <see cref="Statement"/>.</summary>
    public SqlStatement ToSqlStatement() => Statement;

    /// <summary>The same SQL with values by position; null is NULL.</summary>
    public PreparedStatement Bind(params ReadOnlySpan<object?> values) => new(_executor, new SqlStatement(Statement.Sql, SqlParameters.Positional(values)));

    /// <summary>The same SQL with values by name.</summary>
    public PreparedStatement Bind(SqlParameters values) => new(_executor, new SqlStatement(Statement.Sql, values));

    /// <summary>Runs it and gives all rows.</summary>
    /// <typeparam name="T">
    /// A value's type (the first column), a record or class (constructor parameters or properties by the columns' names, case and underscores aside), or <c>IReadOnlyDictionary&lt;string, object?&gt;</c>.
    /// </typeparam>
    /// <exception cref="InvalidCastException">A value cannot be read as what the type asks for.</exception>
    public async Task<QueryResult<T>> AllAsync<T>(CancellationToken cancellationToken = default)
    {
        var response = await _executor.BatchAsync([Statement], null, cancellationToken).ConfigureAwait(false);
        return QueryResult<T>.From(response.First, response);
    }

    /// <summary>Runs it and gives the first row; the default of <typeparamref name="T"/> if there is none.</summary>
    /// <inheritdoc cref="AllAsync{T}" path="/typeparam"/>
    public async Task<T?> FirstAsync<T>(CancellationToken cancellationToken = default)
    {
        var response = await _executor.BatchAsync([Statement], null, cancellationToken).ConfigureAwait(false);
        var rows = response.First.Rows;
        return rows.Count == 0 ? default : RowMapper<T>.For(rows[0].Columns)(rows[0]);
    }

    /// <summary>Runs it and gives one column of the first row; the default of <typeparamref name="T"/> if there is no row.</summary>
    public async Task<T?> FirstAsync<T>(string column, CancellationToken cancellationToken = default)
    {
        var response = await _executor.BatchAsync([Statement], null, cancellationToken).ConfigureAwait(false);
        var rows = response.First.Rows;
        return rows.Count == 0 ? default : rows[0].Get<T>(rows[0].Columns.IndexOf(column));
    }

    /// <summary>Runs it and gives what it did.</summary>
    public async Task<StatementMeta> RunAsync(CancellationToken cancellationToken = default) =>
        (await _executor.BatchAsync([Statement], null, cancellationToken).ConfigureAwait(false)).First.Meta;

    /// <summary>Runs it and gives the values of all rows: null, <see cref="long"/>, <see cref="double"/>, <see cref="string"/> or <c>byte[]</c>.</summary>
    public async Task<IReadOnlyList<object?[]>> RawAsync(CancellationToken cancellationToken = default)
    {
        var response = await _executor.BatchAsync([Statement], null, cancellationToken).ConfigureAwait(false);
        return [.. response.First.Rows.Select(row => row.ToArray())];
    }
}
