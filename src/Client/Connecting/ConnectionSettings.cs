namespace ReplicatedSqlite;

/// <summary>A connection string, read once. Immutable.</summary>
internal sealed class ConnectionSettings
{
    public ConnectionSettings(string connectionString)
    {
        var builder = new ReplicatedSqliteConnectionStringBuilder(connectionString);
        ConnectionString = connectionString;
        ShownConnectionString = builder.WithoutSecrets();
        Addresses = builder.Addresses();
        Database = builder.Database;
        if (Database.Length == 0)
            throw new ArgumentException("The connection string names no database; wanted is, for example, Endpoint=127.0.0.1:7101;Database=shop.", nameof(connectionString));
        Session = builder.Session;
        if (Session.Length > 0) _ = new SessionState(Session); // a text that starts no session is found now and not at the first call
        Token = builder.Token;
        AuthorityFile = builder.AuthorityFile;
        CommandTimeout = builder.CommandTimeout;
        ConnectTimeout = builder.ConnectTimeout;
        RetryTimeout = builder.RetryTimeout;
        IdempotentWrites = builder.IdempotentWrites;
        Read = new QueryOptions
        {
            WaitTimeout = Set(builder.BookmarkTimeout),
            OnWaitTimeout = builder.OnBookmarkTimeout,
            MaxStaleness = Set(builder.MaxStaleness),
        };
        Transaction = new SqlTransactionOptions
        {
            IdleTimeout = Set(builder.TransactionIdleTimeout),
            TotalTimeout = Set(builder.TransactionTimeout),
            WaitTimeout = Read.WaitTimeout,
            OnWaitTimeout = Read.OnWaitTimeout,
            MaxStaleness = Read.MaxStaleness,
        };
    }

    public string ConnectionString { get; }

    /// <summary>Without the token.</summary>
    public string ShownConnectionString { get; }

    public Uri[] Addresses { get; }

    public string Database { get; }

    public string Session { get; }

    public string Token { get; }

    public string AuthorityFile { get; }

    public int CommandTimeout { get; }

    public TimeSpan ConnectTimeout { get; }

    public TimeSpan RetryTimeout { get; }

    public bool IdempotentWrites { get; }

    public QueryOptions Read { get; }

    public SqlTransactionOptions Transaction { get; }

    private static TimeSpan? Set(TimeSpan time) => time > TimeSpan.Zero ? time : null;
}
