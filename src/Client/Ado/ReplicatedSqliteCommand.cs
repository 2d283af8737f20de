using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>SQL to be run, one statement or several: outside a transaction they are one transaction, all of them or none.</summary>
/// <remarks>For one caller at a time, but for <see cref="Cancel"/>.</remarks>
public sealed class ReplicatedSqliteCommand : DbCommand
{
    private readonly Lazy<ReplicatedSqliteParameterCollection> _parameters = new(static () => new(), LazyThreadSafetyMode.None);
    private string _commandText = "";
    private int? _commandTimeout;
    private ReplicatedSqliteConnection? _connection;
    private CommandCall? _call; // of the execution that is under way, if it is there: Cancel takes it from another thread
    private CommandRequest? _last; // of the last execution, filled again by the next: a command is mostly run many times

    /// <summary>A command without text and connection.</summary>
    public ReplicatedSqliteCommand()
    {
    }

    /// <summary>A command without connection.</summary>
    public ReplicatedSqliteCommand(string? commandText) => CommandText = commandText;

    /// <summary>A command.</summary>
    public ReplicatedSqliteCommand(string? commandText, ReplicatedSqliteConnection? connection)
        : this(commandText) => Connection = connection;

    /// <summary>A command in a transaction.</summary>
    public ReplicatedSqliteCommand(string? commandText, ReplicatedSqliteConnection? connection, ReplicatedSqliteTransaction? transaction)
        : this(commandText, connection) => Transaction = transaction;

    /// <summary>The SQL.</summary>
    [AllowNull]
    public override string CommandText
    {
        get => _commandText;
        set
        {
            CheckNoReader("The text");
            _commandText = value ?? "";
        }
    }

    /// <summary>Longest time for the command, in seconds; 0: no limit. A reader may take it for each wait. Starts as the connection's.</summary>
    public override int CommandTimeout
    {
        get => _commandTimeout ?? _connection?.DefaultTimeout ?? 30;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _commandTimeout = value;
        }
    }

    /// <summary>Only <see cref="CommandType.Text"/>.</summary>
    public override CommandType CommandType
    {
        get => CommandType.Text;
        set
        {
            if (value != CommandType.Text) throw new ArgumentException($"SQLite has no {value} commands; CommandType.Text is the only one.", nameof(value));
        }
    }

    /// <summary>The connection.</summary>
    public new ReplicatedSqliteConnection? Connection
    {
        get => _connection;
        set
        {
            CheckNoReader("The connection");
            _connection = value;
        }
    }

    /// <summary>The transaction; has to be the connection's open one, if it has any.</summary>
    public new ReplicatedSqliteTransaction? Transaction { get; set; }

    /// <summary>The parameters.</summary>
    public new ReplicatedSqliteParameterCollection Parameters => _parameters.Value;

    /// <inheritdoc/>
    public override bool DesignTimeVisible { get; set; }

    /// <inheritdoc/>
    public override UpdateRowSource UpdatedRowSource { get; set; }

    /// <summary>The row id of the last row that the last execution inserted; 0 if it inserted none. With a reader: as far as it was read.</summary>
    public long LastInsertRowId { get; internal set; }

    /// <summary>The reader that is open.</summary>
    internal ReplicatedSqliteDataReader? Reader { get; set; }

    /// <inheritdoc/>
    protected override DbConnection? DbConnection
    {
        get => Connection;
        set => Connection = value as ReplicatedSqliteConnection
            ?? (value is null ? null : throw new InvalidCastException($"A {nameof(ReplicatedSqliteConnection)} is wanted, not a {value.GetType()}."));
    }

    /// <inheritdoc/>
    protected override DbTransaction? DbTransaction
    {
        get => Transaction;
        set => Transaction = value as ReplicatedSqliteTransaction
            ?? (value is null ? null : throw new InvalidCastException($"A {nameof(ReplicatedSqliteTransaction)} is wanted, not a {value.GetType()}."));
    }

    /// <inheritdoc/>
    protected override DbParameterCollection DbParameterCollection => Parameters;

    /// <summary>Stops the execution that is under way, from another thread. A write that has committed stays.</summary>
    public override void Cancel() => Interlocked.Exchange(ref _call, null)?.Stop();

    /// <summary>A parameter; it is not added.</summary>
    [SuppressMessage("Performance", "CA1822", Justification = "ADO.NET's method, with its own type.")]
    public new ReplicatedSqliteParameter CreateParameter() => new();

    /// <summary>Checks that the command could be run. The server keeps prepared statements by itself, for all its callers.</summary>
    public override void Prepare() => Check(nameof(Prepare));

    /// <inheritdoc cref="Prepare"/>
    public override Task PrepareAsync(CancellationToken cancellationToken = default)
    {
        Prepare();
        return Task.CompletedTask;
    }

    /// <summary>Runs the SQL.</summary>
    /// <returns>How many rows it changed; -1 if it only reads.</returns>
    public override int ExecuteNonQuery() => Blocking.Wait(ExecuteNonQueryAsync(CancellationToken.None));

    /// <inheritdoc cref="ExecuteNonQuery"/>
    public override async Task<int> ExecuteNonQueryAsync(CancellationToken cancellationToken)
    {
        var request = Begin(nameof(ExecuteNonQuery), cancellationToken);
        if (request.IsEmpty) return NothingToRun(-1);
        try
        {
            var response = await ExecuteAsync(request, cancellationToken).ConfigureAwait(false);
            var changes = ChangeCount.None;
            foreach (var result in response.Results) changes.Add(result.Meta, result.Columns.Count, request.MayWrite);
            LastInsertRowId = changes.LastRowId;
            return changes.Total;
        }
        catch (ReplicatedSqliteException e) when (CommandRunner.IsTooLarge(e))
        {
            return await CountFromStreamAsync(request, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Runs the SQL.</summary>
    /// <returns>The first column of the first row of the first result that has columns; null if it has no row, <see cref="DBNull"/> for NULL.</returns>
    public override object? ExecuteScalar() => Blocking.Wait(ExecuteScalarAsync(CancellationToken.None));

    /// <inheritdoc cref="ExecuteScalar"/>
    public override async Task<object?> ExecuteScalarAsync(CancellationToken cancellationToken)
    {
        var request = Begin(nameof(ExecuteScalar), cancellationToken);
        if (request.IsEmpty) return NothingToRun<object?>(null);
        try
        {
            return Scalar(await ExecuteAsync(request, cancellationToken).ConfigureAwait(false), request.MayWrite);
        }
        catch (ReplicatedSqliteException e) when (CommandRunner.IsTooLarge(e))
        {
            return await ScalarFromStreamAsync(request, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Runs the SQL; its rows come while they are read.</summary>
    public new ReplicatedSqliteDataReader ExecuteReader() => ExecuteReader(CommandBehavior.Default);

    /// <inheritdoc cref="ExecuteReader()"/>
    public new ReplicatedSqliteDataReader ExecuteReader(CommandBehavior behavior) =>
        Blocking.Wait(OpenAsync(Begin(nameof(ExecuteReader), CancellationToken.None), behavior, CancellationToken.None));

    /// <inheritdoc cref="ExecuteReader()"/>
    public new Task<ReplicatedSqliteDataReader> ExecuteReaderAsync(CancellationToken cancellationToken = default) =>
        ExecuteReaderAsync(CommandBehavior.Default, cancellationToken);

    /// <inheritdoc cref="ExecuteReader()"/>
    public new async Task<ReplicatedSqliteDataReader> ExecuteReaderAsync(CommandBehavior behavior, CancellationToken cancellationToken = default) =>
        await OpenAsync(Begin(nameof(ExecuteReader), cancellationToken), behavior, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    protected override DbParameter CreateDbParameter() => CreateParameter();

    /// <inheritdoc/>
    protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior) => ExecuteReader(behavior);

    /// <inheritdoc/>
    protected override async Task<DbDataReader> ExecuteDbDataReaderAsync(CommandBehavior behavior, CancellationToken cancellationToken) =>
        await ExecuteReaderAsync(behavior, cancellationToken).ConfigureAwait(false);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ExecuteResponse> ExecuteAsync(CommandRequest request, CancellationToken cancellationToken)
    {
        var call = CommandCall.Rent(CommandTimeout, MayWriteAlone(request));
        Volatile.Write(ref _call, call);
        try
        {
            var response = await CommandRunner.ExecuteAsync(_connection!, request, call, CommandTimeout, cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _last, request); // nobody reads it any more
            return response;
        }
        finally
        {
            if (Interlocked.CompareExchange(ref _call, null, call) == call) call.Release(); // else Cancel has it
        }
    }

    // Comments alone, which are no error in ADO.NET.
    private T NothingToRun<T>(T result)
    {
        LastInsertRowId = 0;
        return result;
    }

    private object? Scalar(ExecuteResponse response, bool mayWrite)
    {
        LastInsertRowId = 0;
        object? scalar = null;
        var found = false;
        for (var i = 0; i < response.Results.Count; i++)
        {
            var result = response.Results[i];
            if (result.Meta is { LastRowId: not 0 and var id }) LastInsertRowId = id;
            if (found || result.Columns.Count == 0) continue;
            found = true;
            if (result.Rows is { RowCount: > 0 } rows) scalar = ColumnVector.First(rows, mayWrite) ?? DBNull.Value;
        }

        return scalar;
    }

    // A result that does not fit into one message comes in several.
    private async Task<int> CountFromStreamAsync(CommandRequest request, CancellationToken cancellationToken)
    {
        var reader = await OpenAsync(request, CommandBehavior.Default, cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            while (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false))
            {
            }

            return reader.RecordsAffected;
        }
    }

    private async Task<object?> ScalarFromStreamAsync(CommandRequest request, CancellationToken cancellationToken)
    {
        var reader = await OpenAsync(request, CommandBehavior.Default, cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            return await reader.ReadAsync(cancellationToken).ConfigureAwait(false) ? reader.GetValue(0) : null;
        }
    }

    private async Task<ReplicatedSqliteDataReader> OpenAsync(CommandRequest request, CommandBehavior behavior, CancellationToken cancellationToken)
    {
        CommandRunner.Check(behavior);
        var call = new CommandCall(CommandTimeout, MayWriteAlone(request)); // the reader's from here on
        Volatile.Write(ref _call, call);
        LastInsertRowId = 0;
        var origin = new ReaderOrigin(behavior, CommandTimeout, this, null);
        Reader = await CommandRunner.OpenAsync(_connection!, request, call, origin, cancellationToken).ConfigureAwait(false);
        Volatile.Write(ref _last, request); // it is sent, and rows have begun to come
        return Reader;
    }

    // In a transaction nothing is written before it commits.
    private bool MayWriteAlone(CommandRequest request) => request.MayWrite && _connection!.Transaction is null;

    private CommandRequest Begin(string method, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        CheckNoReader(method);
        Check(method);
        ReplicatedSqliteTransaction.Check(Transaction, _connection!, method);
        return CommandRequest.Of(_commandText, _parameters.IsValueCreated ? _parameters.Value : null, Interlocked.Exchange(ref _last, null));
    }

    private void Check(string method)
    {
        if (_connection is null) throw new InvalidOperationException($"{method} needs a connection. Set Connection.");
        _connection.Executor(method);
        if (string.IsNullOrWhiteSpace(_commandText)) throw new InvalidOperationException($"{method} needs SQL. Set CommandText.");
    }

    private void CheckNoReader(string what)
    {
        if (Reader is not null) throw new InvalidOperationException($"{what}: a reader of this command is still open. Dispose it first.");
    }
}
