namespace ReplicatedSqlite;

/// <summary>Calls that run SQL and wait for all of their answer, in whatever they run: a session, no session, a transaction.</summary>
public abstract class SqlCalls
{
    private protected SqlCalls()
    {
    }

    /// <summary>Runs one statement.</summary>
    public Task<SqlResponse> ExecuteAsync(
        string sql, SqlParameters? parameters = null, QueryOptions? options = null, CancellationToken cancellationToken = default) =>
        SendAsync([new SqlStatement(sql, parameters)], script: false, options, cancellationToken);

    /// <summary>Runs one statement and gives its rows.</summary>
    public async Task<ResultSet> QueryAsync(
        string sql, SqlParameters? parameters = null, QueryOptions? options = null, CancellationToken cancellationToken = default) =>
        (await ExecuteAsync(sql, parameters, options, cancellationToken).ConfigureAwait(false)).First;

    /// <summary>Runs one statement and gives the first column of its first row; the default of <typeparamref name="T"/> if there is no row.</summary>
    public async Task<T?> QueryScalarAsync<T>(
        string sql, SqlParameters? parameters = null, QueryOptions? options = null, CancellationToken cancellationToken = default)
    {
        var result = await QueryAsync(sql, parameters, options, cancellationToken).ConfigureAwait(false);
        return result.Rows.Count == 0 ? default : result.Rows[0].Get<T>(0);
    }

    /// <summary>Runs several statements as one transaction: all of them, or none. In an interactive transaction they are one step of it, and when one fails, those before it stay.</summary>
    public Task<SqlResponse> BatchAsync(IEnumerable<SqlStatement> statements, QueryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(statements);
        return SendAsync([.. statements], script: false, options, cancellationToken);
    }

    /// <summary>Runs SQL that holds several statements, as <see cref="BatchAsync"/> does. Each takes the named parameters it names and, in order, as many positional ones as it has.</summary>
    public Task<SqlResponse> ScriptAsync(
        string sql, SqlParameters? parameters = null, QueryOptions? options = null, CancellationToken cancellationToken = default) =>
        SendAsync([new SqlStatement(sql, parameters)], script: true, options, cancellationToken);

    private protected abstract Task<SqlResponse> SendAsync(SqlStatement[] statements, bool script, QueryOptions? options, CancellationToken cancellationToken);
}
