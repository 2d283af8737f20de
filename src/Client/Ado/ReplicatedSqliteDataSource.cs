using System.Data.Common;

namespace ReplicatedSqlite;

/// <summary>A database and the way to it: makes connections and sessions, which share its HTTP/2 connections. Thread-safe; an application needs one a database.</summary>
/// <example>
/// <code>
/// await using var dataSource = ReplicatedSqliteDataSource.Create("Endpoint=127.0.0.1:7101;Database=shop");
/// await using var connection = await dataSource.OpenConnectionAsync();
/// </code>
/// </example>
public sealed class ReplicatedSqliteDataSource : DbDataSource
{
    private readonly Transport _transport;
    private volatile string? _serverVersion;
    private int _isDisposed;

    private ReplicatedSqliteDataSource(ConnectionSettings settings, ReplicatedSqliteClientOptions options)
    {
        Settings = settings;
        _transport = new Transport(settings.Addresses, options with
        {
            Token = settings.Token.Length > 0 ? settings.Token : options.Token,
            AuthorityFile = settings.AuthorityFile.Length > 0 ? settings.AuthorityFile : options.AuthorityFile,
            RetryTimeout = settings.RetryTimeout,
            Channel = options.Channel with { ConnectTimeout = settings.ConnectTimeout },
        });
        Defaults = new CallDefaults(
            settings.Read, settings.CommandTimeout == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(settings.CommandTimeout), settings.IdempotentWrites);
        Admin = new AdminClient(_transport);
    }

    /// <summary>The connection string, without its token.</summary>
    public override string ConnectionString => Settings.ShownConnectionString;

    /// <summary>The database's name or id.</summary>
    public string Database => Settings.Database;

    /// <summary>Creates, lists and deletes databases, and tells about the cluster.</summary>
    public AdminClient Admin { get; }

    internal ConnectionSettings Settings { get; }

    internal CallDefaults Defaults { get; }

    /// <summary>A data source. Nothing is sent yet.</summary>
    /// <param name="connectionString">At least <c>Endpoint=…;Database=…</c>; see <see cref="ReplicatedSqliteConnectionStringBuilder"/>.</param>
    /// <param name="options">What no connection string says: a log, the transport's own settings.</param>
    /// <exception cref="ArgumentException">A keyword is unknown or a value is none.</exception>
    public static ReplicatedSqliteDataSource Create(string connectionString, ReplicatedSqliteClientOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        return new ReplicatedSqliteDataSource(new ConnectionSettings(connectionString), options ?? new ReplicatedSqliteClientOptions());
    }

    /// <summary>Starts a session: at a bookmark's text, at <see cref="Session.FirstPrimary"/> or at <see cref="Session.FirstUnconstrained"/>. Nothing is sent yet.</summary>
    /// <exception cref="MalformedBookmarkException">The text is none of these.</exception>
    public Session WithSession(string start = Session.FirstUnconstrained) => SessionOf(Database, start);

    /// <summary>Goes on from a bookmark.</summary>
    public Session WithSession(Bookmark bookmark) => WithSession(bookmark.ToString());

    /// <summary>A closed connection.</summary>
    public new ReplicatedSqliteConnection CreateConnection() => new(this, session: null);

    /// <summary>A closed connection whose commands run in a session, which other connections may be part of at the same time.</summary>
    public ReplicatedSqliteConnection CreateConnection(Session session)
    {
        ArgumentNullException.ThrowIfNull(session);
        return new ReplicatedSqliteConnection(this, session);
    }

    /// <summary>An open connection.</summary>
    public new ReplicatedSqliteConnection OpenConnection()
    {
        var connection = CreateConnection();
        connection.Open();
        return connection;
    }

    /// <summary>An open connection.</summary>
    public new async ValueTask<ReplicatedSqliteConnection> OpenConnectionAsync(CancellationToken cancellationToken = default)
    {
        var connection = CreateConnection();
        await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
        return connection;
    }

    /// <summary>An open connection whose commands run in a session.</summary>
    public async ValueTask<ReplicatedSqliteConnection> OpenConnectionAsync(Session session, CancellationToken cancellationToken = default)
    {
        var connection = CreateConnection(session);
        await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
        return connection;
    }

    /// <summary>A command on a connection of its own, which needs no closing: it holds nothing.</summary>
    public new ReplicatedSqliteCommand CreateCommand(string? commandText = null)
    {
        var command = OpenConnection().CreateCommand();
        command.CommandText = commandText;
        return command;
    }

    internal SqlExecutor ExecutorOf(string database, string session) =>
        session.Length == 0 ? new ReplicatedDatabase(_transport, database, Defaults) : SessionOf(database, session);

    internal Session SessionOf(string database, string start)
    {
        ObjectDisposedException.ThrowIf(_isDisposed != 0, this);
        return new Session(_transport, database, new SessionState(start), Defaults);
    }

    internal bool Owns(SqlExecutor executor) => executor.IsOn(_transport);

    internal void CheckNotDisposed() => ObjectDisposedException.ThrowIf(_isDisposed != 0, this);

    /// <summary>SQLite's version on the node that is asked; known after the first call.</summary>
    internal string ServerVersion() => _serverVersion ??= Blocking.Wait(Admin.GetServerInfoAsync()).SqliteVersion;

    /// <inheritdoc/>
    protected override DbConnection CreateDbConnection() => CreateConnection();

    /// <inheritdoc/>
    protected override DbCommand CreateDbCommand(string? commandText = null) => CreateCommand(commandText);

    /// <inheritdoc/>
    protected override DbBatch CreateDbBatch() => OpenConnection().CreateBatch();

    /// <summary>Closes the HTTP/2 connections; calls in flight fail.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _isDisposed, 1) == 0) Blocking.Wait(_transport.DisposeAsync());
        base.Dispose(disposing);
    }

    /// <inheritdoc cref="Dispose(bool)"/>
    protected override async ValueTask DisposeAsyncCore()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0) await _transport.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsyncCore().ConfigureAwait(false);
    }
}
