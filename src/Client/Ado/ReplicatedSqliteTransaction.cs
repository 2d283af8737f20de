using System.Data;
using System.Data.Common;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>A transaction of several commands. One that may write holds the database's writer from its beginning: be quick, or others wait.</summary>
/// <remarks>
/// A statement that fails is undone alone, and the transaction goes on, unless SQLite ended it. A command that is cancelled or times out ends the transaction. For one caller at a time.
/// </remarks>
public sealed class ReplicatedSqliteTransaction : DbTransaction
{
    private readonly SqlTransaction _transaction;
    private readonly SqlExecutor _executor;
    private readonly string? _key;
    private ReplicatedSqliteConnection? _connection; // null when it is over
    private bool _isDisposed;
    private ReplicatedSqliteDataReader? _reader; // the one whose rows may still be on their way

    private ReplicatedSqliteTransaction(ReplicatedSqliteConnection connection, SqlExecutor executor, SqlTransaction transaction, IsolationLevel isolationLevel, string? key)
    {
        _connection = connection;
        _executor = executor;
        _transaction = transaction;
        _key = key;
        IsolationLevel = isolationLevel;
    }

    /// <summary>The connection; null when the transaction is over.</summary>
    public new ReplicatedSqliteConnection? Connection => _connection;

    /// <summary><see cref="IsolationLevel.Snapshot"/> of one that only reads, else <see cref="IsolationLevel.Serializable"/>.</summary>
    public override IsolationLevel IsolationLevel { get; }

    /// <inheritdoc/>
    public override bool SupportsSavepoints => true;

    /// <summary>What it reads at; after <see cref="Commit"/> the state that it made.</summary>
    public Bookmark Bookmark { get; private set; }

    /// <inheritdoc/>
    protected override DbConnection? DbConnection => _connection;

    /// <summary>Commits; on return the outcome is durable.</summary>
    /// <exception cref="WriteOutcomeUnknownException">It may be committed or not. With <c>Idempotent Writes</c> the server was asked, and could not say either.</exception>
    public override void Commit() => Blocking.Wait(CommitAsync());

    /// <inheritdoc cref="Commit"/>
    public override async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        Open(nameof(Commit));
        await MakeRoomAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Bookmark = await _transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (WriteOutcomeUnknownException e) when (_key is not null)
        {
            await ResolveAsync(e, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await EndAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Rolls everything back.</summary>
    public override void Rollback() => Blocking.Wait(RollbackAsync());

    /// <inheritdoc cref="Rollback()"/>
    public override async Task RollbackAsync(CancellationToken cancellationToken = default)
    {
        Open(nameof(Rollback));
        try
        {
            if (!_transaction.IsEnded)
            {
                await MakeRoomAsync(cancellationToken).ConfigureAwait(false);
                await _transaction.RollbackAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await EndAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Sets a point to come back to.</summary>
    public override void Save(string savepointName) => Blocking.Wait(SaveAsync(savepointName));

    /// <inheritdoc cref="Save"/>
    public override Task SaveAsync(string savepointName, CancellationToken cancellationToken = default) => RunAsync("SAVEPOINT ", savepointName, nameof(Save), cancellationToken);

    /// <summary>Comes back to a point: undoes what was done since. The point stays.</summary>
    public override void Rollback(string savepointName) => Blocking.Wait(RollbackAsync(savepointName));

    /// <inheritdoc cref="Rollback(string)"/>
    public override Task RollbackAsync(string savepointName, CancellationToken cancellationToken = default) =>
        RunAsync("ROLLBACK TO ", savepointName, nameof(Rollback), cancellationToken);

    /// <summary>Takes a point away, and those set after it; what was done stays.</summary>
    public override void Release(string savepointName) => Blocking.Wait(ReleaseAsync(savepointName));

    /// <inheritdoc cref="Release"/>
    public override Task ReleaseAsync(string savepointName, CancellationToken cancellationToken = default) =>
        RunAsync("RELEASE ", savepointName, nameof(Release), cancellationToken);

    /// <summary>Rolls back, unless it is over.</summary>
    public override async ValueTask DisposeAsync()
    {
        await EndAsync().ConfigureAwait(false);
        _isDisposed = true;
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Rolls back, unless it is over.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing) Blocking.Wait(EndAsync());
        _isDisposed = true;
        base.Dispose(disposing);
    }

    internal static async Task<ReplicatedSqliteTransaction> BeginAsync(
        ReplicatedSqliteConnection connection, SqlExecutor executor, ReplicatedSqliteDataSource source, IsolationLevel isolationLevel, CancellationToken cancellationToken)
    {
        var isSnapshot = isolationLevel == IsolationLevel.Snapshot;
        var key = !isSnapshot && source.Settings.IdempotentWrites ? CallDefaults.NewKey() : null;
        var options = source.Settings.Transaction with { ReadOnly = isSnapshot, IdempotencyKey = key };
        var transaction = await executor.BeginTransactionAsync(options, nearest: isSnapshot, cancellationToken).ConfigureAwait(false);
        return new ReplicatedSqliteTransaction(connection, executor, transaction, isSnapshot ? IsolationLevel.Snapshot : IsolationLevel.Serializable, key) { Bookmark = transaction.Begun };
    }

    /// <summary>Refuses a command that is not in the transaction that its connection is in.</summary>
    internal static void Check(ReplicatedSqliteTransaction? ofCommand, ReplicatedSqliteConnection connection, string method)
    {
        if (ofCommand == connection.Transaction)
        {
            if (ofCommand is { _transaction.IsEnded: true })
                throw new InvalidOperationException($"{method}: the transaction was ended by a failure, and rolled back. Dispose it and begin another one.");
            return;
        }

        throw new InvalidOperationException(
            ofCommand is null ? $"{method}: the connection has an open transaction, and the command is not in it. Set the command's Transaction."
            : ofCommand.Connection is null ? $"{method}: the command's transaction is over. Set its Transaction to null, or to an open one."
            : $"{method}: the command's transaction belongs to another connection.");
    }

    /// <summary>A reader's rows may be on their way until it leaves.</summary>
    internal void Enter(ReplicatedSqliteDataReader reader) => _reader = reader;

    internal void Leave(ReplicatedSqliteDataReader reader)
    {
        if (_reader == reader) _reader = null;
    }

    /// <summary>Takes the rest of an open reader into memory, so that the next step can be sent.</summary>
    internal async Task MakeRoomAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_reader is { } reader) await reader.BufferAsync().ConfigureAwait(false);
    }

    internal async Task<ExecuteResponse> ExecuteAsync(CommandRequest request, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        await MakeRoomAsync(cancellationToken).ConfigureAwait(false);
        return await _transaction.ExecuteAsync(request, timeout, cancellationToken).ConfigureAwait(false);
    }

    internal IAsyncEnumerable<StreamPart> OpenAsync(CommandRequest request, TimeSpan? timeout, CancellationToken cancellationToken) =>
        _transaction.OpenAsync(request, timeout, cancellationToken);

    private async Task RunAsync(string what, string savepointName, string method, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(savepointName);
        Open(method);
        var sql = $"{what}\"{savepointName.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        await ExecuteAsync(CommandRequest.Of(sql, null), null, cancellationToken).ConfigureAwait(false);
    }

    private void Open(string method)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_connection is null) throw new InvalidOperationException($"{method}: the transaction is over: it was committed, rolled back or disposed.");
    }

    // The server knows by the key what became of a commit whose answer was lost.
    private async Task ResolveAsync(WriteOutcomeUnknownException unknown, CancellationToken cancellationToken)
    {
        var (state, bookmark) = await _executor.GetOutcomeAsync(_key!, sentWithin: null, cancellationToken).ConfigureAwait(false);
        if (state == CommitState.Committed)
        {
            Bookmark = bookmark ?? Bookmark;
            return;
        }

        if (state != CommitState.NotCommitted) throw unknown;
        throw new Failure(Protocol.ErrorCodes.NoPrimary, "The transaction was not committed: its primary went away before. Nothing was written; do it again.")
        {
            Retryable = true,
            Cause = unknown,
        }.ToException();
    }

    private async Task EndAsync()
    {
        if (_connection is not { } connection) return;
        if (_reader is { } reader) await reader.AbandonAsync().ConfigureAwait(false);
        _connection = null;
        if (connection.Transaction == this) connection.Transaction = null;
        await _transaction.DisposeAsync().ConfigureAwait(false);
    }
}
