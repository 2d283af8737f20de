using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;

namespace ReplicatedSqlite;

/// <summary>A connection to a database. To open one costs nothing: calls share the HTTP/2 connections of the data source. For one caller at a time.</summary>
/// <remarks>
/// Without a session every command is asked at the primary. With <c>Session=</c> in the connection string a session lasts from <see cref="Open"/> to <see cref="Close"/>.
/// Each command outside a transaction is a transaction of its own.
/// </remarks>
public sealed class ReplicatedSqliteConnection : DbConnection
{
    private readonly ReplicatedSqliteDataSource? _ownSource; // null: from the pool, between Open and Close
    private readonly Session? _givenSession;
    private readonly List<ReplicatedSqliteDataReader> _readers = []; // open ones
    private string _connectionString = "";
    private ReplicatedSqliteDataSource? _source;
    private SqlExecutor? _executor;
    private string? _database; // after ChangeDatabase
    private int? _defaultTimeout;

    /// <summary>A closed connection without a connection string.</summary>
    public ReplicatedSqliteConnection()
    {
    }

    /// <summary>A closed connection. Those with the same text share their HTTP/2 connections.</summary>
    /// <exception cref="ArgumentException">A keyword is unknown or a value is none.</exception>
    public ReplicatedSqliteConnection(string? connectionString) => ConnectionString = connectionString;

    internal ReplicatedSqliteConnection(ReplicatedSqliteDataSource source, Session? session)
    {
        _ownSource = source;
        _givenSession = session;
        _connectionString = source.ConnectionString;
    }

    /// <inheritdoc/>
    [AllowNull]
    public override string ConnectionString
    {
        get => _connectionString;
        set
        {
            if (_executor is not null) throw new InvalidOperationException("The connection string cannot be changed while the connection is open. Close it first.");
            if (_ownSource is not null) throw new InvalidOperationException("The connection belongs to a data source, which has its connection string.");
            _connectionString = new ReplicatedSqliteConnectionStringBuilder(value).Count > 0 ? value! : "";
        }
    }

    /// <inheritdoc/>
    public override string Database => _database ?? _source?.Database ?? _ownSource?.Database ?? new ReplicatedSqliteConnectionStringBuilder(_connectionString).Database;

    /// <summary>The nodes, as the connection string names them.</summary>
    public override string DataSource => new ReplicatedSqliteConnectionStringBuilder(_connectionString).Endpoint;

    /// <summary>The version of SQLite on the server.</summary>
    public override string ServerVersion => Source().ServerVersion();

    /// <inheritdoc/>
    public override ConnectionState State => _executor is null ? ConnectionState.Closed : ConnectionState.Open;

    /// <summary>Seconds to connect to a node.</summary>
    public override int ConnectionTimeout => (int)(_ownSource?.Settings.ConnectTimeout ?? new ReplicatedSqliteConnectionStringBuilder(_connectionString).ConnectTimeout).TotalSeconds;

    /// <summary>Seconds that new commands are given; 0: no limit. Starts as the connection string's <c>Command Timeout</c>.</summary>
    public int DefaultTimeout
    {
        get => _defaultTimeout ?? _ownSource?.Settings.CommandTimeout ?? new ReplicatedSqliteConnectionStringBuilder(_connectionString).CommandTimeout;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _defaultTimeout = value;
        }
    }

    /// <summary>The session that commands run in; null if they run at the primary.</summary>
    public Session? Session => _executor as Session;

    /// <summary>The greatest state that the session has seen; null without a session, or before its first answer.</summary>
    public Bookmark? Bookmark => Session?.Bookmark;

    /// <inheritdoc/>
    public override bool CanCreateBatch => true;

    internal ReplicatedSqliteTransaction? Transaction { get; set; }

    /// <inheritdoc/>
    protected override DbProviderFactory DbProviderFactory => ReplicatedSqliteFactory.Instance;

    /// <summary>Opens the connection and begins its session. Sends nothing: whether a node answers shows at the first command.</summary>
    /// <exception cref="InvalidOperationException">It is open, or has no connection string.</exception>
    /// <exception cref="NotSupportedException">There is an ambient transaction (<c>TransactionScope</c>).</exception>
    public override void Open()
    {
        if (_executor is not null) throw new InvalidOperationException("The connection is open already.");
        if (System.Transactions.Transaction.Current is not null) throw AmbientTransactions();
        if (_ownSource is not null)
        {
            _ownSource.CheckNotDisposed();
            _source = _ownSource;
        }
        else
        {
            if (_connectionString.Length == 0) throw new InvalidOperationException("The connection has no connection string. Set ConnectionString, for example Endpoint=127.0.0.1:7101;Database=shop.");
            _source = DataSourcePool.Rent(_connectionString);
        }

        _executor = _givenSession ?? _source.ExecutorOf(Database, _source.Settings.Session);
        OnStateChange(new StateChangeEventArgs(ConnectionState.Closed, ConnectionState.Open));
    }

    /// <inheritdoc cref="Open"/>
    public override Task OpenAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled(cancellationToken);
        try
        {
            Open();
            return Task.CompletedTask;
        }
        catch (Exception e)
        {
            return Task.FromException(e);
        }
    }

    /// <summary>Rolls back an open transaction, ends open readers and the session.</summary>
    public override void Close()
    {
        if (_executor is null) return;
        foreach (var reader in _readers.ToArray()) reader.Abandon();
        Transaction?.Dispose();
        FinishClose();
    }

    /// <inheritdoc cref="Close"/>
    public override async Task CloseAsync()
    {
        if (_executor is null) return;
        foreach (var reader in _readers.ToArray()) await reader.AbandonAsync().ConfigureAwait(false);
        if (Transaction is { } transaction) await transaction.DisposeAsync().ConfigureAwait(false);
        FinishClose();
    }

    /// <summary>Turns to another database of the same cluster, with a session of its own if this connection has one.</summary>
    public override void ChangeDatabase(string databaseName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(databaseName);
        var source = Source();
        if (Transaction is not null) throw new InvalidOperationException("The database cannot be changed within a transaction. Commit it or roll it back first.");
        var start = Session is null ? "" : source.Settings.Session is { Length: > 0 } text && !ReplicatedSqlite.Bookmark.TryParse(text, out _) ? text : Session.FirstPrimary;
        _database = databaseName;
        _executor = source.ExecutorOf(databaseName, start);
    }

    /// <summary>Puts this connection into a session, from a bookmark's text, <see cref="Session.FirstPrimary"/> or <see cref="Session.FirstUnconstrained"/>, until it is closed.</summary>
    /// <returns>The session, which is thread-safe: others may use it beside this connection.</returns>
    public Session WithSession(string start = Session.FirstUnconstrained)
    {
        var session = Source().SessionOf(Database, start);
        _executor = session;
        return session;
    }

    /// <summary>Puts this connection into a session that goes on from a bookmark.</summary>
    public Session WithSession(Bookmark bookmark) => WithSession(bookmark.ToString());

    /// <summary>A command on this connection, within its open transaction if there is one.</summary>
    public new ReplicatedSqliteCommand CreateCommand() => new() { Connection = this, CommandTimeout = DefaultTimeout, Transaction = Transaction };

    /// <summary>Several statements that run as one transaction, in one call.</summary>
    public new ReplicatedSqliteBatch CreateBatch() => new() { Connection = this, Timeout = DefaultTimeout, Transaction = Transaction };

    /// <summary>Begins a transaction at the primary.</summary>
    public new ReplicatedSqliteTransaction BeginTransaction() => BeginTransaction(IsolationLevel.Unspecified);

    /// <summary>Begins a transaction. <paramref name="deferred"/> is for code that comes from Microsoft.Data.Sqlite: here the writer is taken at once in any case.</summary>
    public ReplicatedSqliteTransaction BeginTransaction(bool deferred)
    {
        _ = deferred;
        return BeginTransaction();
    }

    /// <summary>Begins a transaction: with <see cref="IsolationLevel.Snapshot"/> one that only reads, at the nearest copy; with any other level a serializable one at the primary.</summary>
    public new ReplicatedSqliteTransaction BeginTransaction(IsolationLevel isolationLevel) => Blocking.Wait(BeginAsync(isolationLevel, CancellationToken.None));

    /// <inheritdoc cref="BeginTransaction()"/>
    public new ValueTask<ReplicatedSqliteTransaction> BeginTransactionAsync(CancellationToken cancellationToken = default) =>
        BeginTransactionAsync(IsolationLevel.Unspecified, cancellationToken);

    /// <inheritdoc cref="BeginTransaction(IsolationLevel)"/>
    public new ValueTask<ReplicatedSqliteTransaction> BeginTransactionAsync(IsolationLevel isolationLevel, CancellationToken cancellationToken = default) =>
        new(BeginAsync(isolationLevel, cancellationToken));

    /// <summary>Refused: a write here is durable in a quorum of nodes before it is answered, and cannot be prepared first and decided later.</summary>
    /// <exception cref="NotSupportedException">Always, unless the transaction is null.</exception>
    public override void EnlistTransaction(System.Transactions.Transaction? transaction)
    {
        if (transaction is not null) throw AmbientTransactions();
    }

    /// <summary>The schema collections that there are.</summary>
    public override DataTable GetSchema() => GetSchema(DbMetaDataCollectionNames.MetaDataCollections);

    /// <summary>A schema collection.</summary>
    public override DataTable GetSchema(string collectionName) => GetSchema(collectionName, []);

    /// <summary>A schema collection, restricted; <c>Restrictions</c> tells by what.</summary>
    public override DataTable GetSchema(string collectionName, string?[] restrictionValues) =>
        Blocking.Wait(SchemaCollections.ReadAsync(this, collectionName, restrictionValues, CancellationToken.None));

    /// <inheritdoc cref="GetSchema()"/>
    public override Task<DataTable> GetSchemaAsync(CancellationToken cancellationToken = default) =>
        GetSchemaAsync(DbMetaDataCollectionNames.MetaDataCollections, cancellationToken);

    /// <inheritdoc cref="GetSchema(string)"/>
    public override Task<DataTable> GetSchemaAsync(string collectionName, CancellationToken cancellationToken = default) =>
        GetSchemaAsync(collectionName, [], cancellationToken);

    /// <inheritdoc cref="GetSchema(string, string[])"/>
    public override Task<DataTable> GetSchemaAsync(string collectionName, string?[] restrictionValues, CancellationToken cancellationToken = default) =>
        SchemaCollections.ReadAsync(this, collectionName, restrictionValues, cancellationToken);

    /// <summary>Closes the HTTP/2 connections behind a connection string, as far as no open connection uses them.</summary>
    public static void ClearPool(ReplicatedSqliteConnection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        DataSourcePool.Clear(connection.ConnectionString);
    }

    /// <summary>Closes the HTTP/2 connections behind all connection strings, as far as no open connection uses them.</summary>
    public static void ClearAllPools() => DataSourcePool.Clear();

    /// <summary>Where commands run; throws while the connection is closed.</summary>
    internal SqlExecutor Executor(string what) => _executor ?? throw new InvalidOperationException($"{what} needs an open connection. Open it first.");

    internal void Add(ReplicatedSqliteDataReader reader) => _readers.Add(reader);

    internal void Remove(ReplicatedSqliteDataReader reader) => _readers.Remove(reader);

    /// <inheritdoc/>
    protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) => BeginTransaction(isolationLevel);

    /// <inheritdoc/>
    protected override async ValueTask<DbTransaction> BeginDbTransactionAsync(IsolationLevel isolationLevel, CancellationToken cancellationToken) =>
        await BeginAsync(isolationLevel, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    protected override DbCommand CreateDbCommand() => CreateCommand();

    /// <inheritdoc/>
    protected override DbBatch CreateDbBatch() => CreateBatch();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) Close();
        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    internal static NotSupportedException AmbientTransactions() => new(
        "Distributed transactions (TransactionScope, EnlistTransaction) are not supported: a write is durable in a quorum of nodes before it is answered, and cannot be prepared first and decided " +
        "later. Use BeginTransaction; to open a connection inside a TransactionScope, suppress it (TransactionScopeOption.Suppress).");

    private ReplicatedSqliteDataSource Source() => _source ?? throw new InvalidOperationException("The connection is closed. Open it first.");

    private async Task<ReplicatedSqliteTransaction> BeginAsync(IsolationLevel isolationLevel, CancellationToken cancellationToken)
    {
        var executor = Executor(nameof(BeginTransaction));
        if (Transaction is not null) throw new InvalidOperationException("The connection has an open transaction already, and there is one at a time. Use Save for a part of it.");
        return Transaction = await ReplicatedSqliteTransaction.BeginAsync(this, executor, Source(), isolationLevel, cancellationToken).ConfigureAwait(false);
    }

    private void FinishClose()
    {
        var source = _source!;
        _executor = null;
        _source = null;
        _database = null;
        Transaction = null;
        if (_ownSource is null) DataSourcePool.Return(_connectionString, source);
        OnStateChange(new StateChangeEventArgs(ConnectionState.Open, ConnectionState.Closed));
    }
}
