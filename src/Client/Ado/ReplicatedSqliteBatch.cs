using System.Data;
using System.Data.Common;

namespace ReplicatedSqlite;

/// <summary>Several commands in one call: one transaction outside a transaction, one step inside.</summary>
public sealed class ReplicatedSqliteBatch : DbBatch
{
    private readonly ReplicatedSqliteBatchCommandCollection _commands = new();
    private CommandCall? _call; // of the execution that is under way; Cancel reads it from another thread
    private int[] _owners = []; // by statement: its command

    /// <summary>A batch without connection.</summary>
    public ReplicatedSqliteBatch()
    {
    }

    /// <summary>A batch.</summary>
    public ReplicatedSqliteBatch(ReplicatedSqliteConnection? connection, ReplicatedSqliteTransaction? transaction = null)
    {
        Connection = connection;
        Transaction = transaction;
    }

    /// <summary>The commands, in order.</summary>
    public new ReplicatedSqliteBatchCommandCollection BatchCommands => _commands;

    /// <summary>The connection.</summary>
    public new ReplicatedSqliteConnection? Connection { get; set; }

    /// <summary>The transaction; has to be the connection's open one, if it has any.</summary>
    public new ReplicatedSqliteTransaction? Transaction { get; set; }

    /// <summary>Longest time in seconds; 0: no limit. Default 30.</summary>
    public override int Timeout { get; set; } = 30;

    /// <inheritdoc/>
    protected override DbBatchCommandCollection DbBatchCommands => _commands;

    /// <inheritdoc/>
    protected override DbConnection? DbConnection { get => Connection; set => Connection = (ReplicatedSqliteConnection?)value; }

    /// <inheritdoc/>
    protected override DbTransaction? DbTransaction { get => Transaction; set => Transaction = (ReplicatedSqliteTransaction?)value; }

    /// <inheritdoc/>
    public override void Cancel() => Volatile.Read(ref _call)?.Stop();

    /// <summary>Runs all commands.</summary>
    /// <returns>How many rows they changed together; -1 if they only read.</returns>
    public override int ExecuteNonQuery() => Blocking.Wait(ExecuteNonQueryAsync());

    /// <inheritdoc cref="ExecuteNonQuery"/>
    public override async Task<int> ExecuteNonQueryAsync(CancellationToken cancellationToken = default)
    {
        var reader = await OpenAsync(CommandBehavior.Default, nameof(ExecuteNonQuery), cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            while (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false))
            {
            }

            return reader.RecordsAffected;
        }
    }

    /// <summary>Runs all commands.</summary>
    /// <returns>The first column of the first row of the first result that has columns; null if it has no row.</returns>
    public override object? ExecuteScalar() => Blocking.Wait(ExecuteScalarAsync());

    /// <inheritdoc cref="ExecuteScalar"/>
    public override async Task<object?> ExecuteScalarAsync(CancellationToken cancellationToken = default)
    {
        var reader = await OpenAsync(CommandBehavior.Default, nameof(ExecuteScalar), cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            return await reader.ReadAsync(cancellationToken).ConfigureAwait(false) ? reader.GetValue(0) : null;
        }
    }

    /// <summary>Checks that the batch could be run.</summary>
    public override void Prepare() => Check(nameof(Prepare));

    /// <inheritdoc cref="Prepare"/>
    public override Task PrepareAsync(CancellationToken cancellationToken = default)
    {
        Prepare();
        return Task.CompletedTask;
    }

    /// <summary>Runs all commands; their results come while they are read.</summary>
    public new ReplicatedSqliteDataReader ExecuteReader(CommandBehavior behavior = CommandBehavior.Default) =>
        Blocking.Wait(OpenAsync(behavior, nameof(ExecuteReader), CancellationToken.None));

    /// <inheritdoc cref="ExecuteReader(CommandBehavior)"/>
    public new Task<ReplicatedSqliteDataReader> ExecuteReaderAsync(CancellationToken cancellationToken = default) =>
        OpenAsync(CommandBehavior.Default, nameof(ExecuteReader), cancellationToken);

    /// <summary>What one statement did.</summary>
    internal void Ended(int statement, StatementMeta meta, int columns)
    {
        if ((uint)statement >= (uint)_owners.Length) return;
        _commands[_owners[statement]].Add(meta, columns);
    }

    /// <inheritdoc/>
    protected override DbBatchCommand CreateDbBatchCommand() => new ReplicatedSqliteBatchCommand();

    /// <inheritdoc/>
    protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior) => ExecuteReader(behavior);

    /// <inheritdoc/>
    protected override async Task<DbDataReader> ExecuteDbDataReaderAsync(CommandBehavior behavior, CancellationToken cancellationToken) =>
        await OpenAsync(behavior, nameof(ExecuteReader), cancellationToken).ConfigureAwait(false);

    private async Task<ReplicatedSqliteDataReader> OpenAsync(CommandBehavior behavior, string method, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Check(method);
        CommandRunner.Check(behavior);
        ReplicatedSqliteTransaction.Check(Transaction, Connection!, method);
        var request = Compose();
        var call = new CommandCall(Timeout, request.MayWrite && Connection!.Transaction is null);
        Volatile.Write(ref _call, call);
        return await CommandRunner.OpenAsync(Connection!, request, call, new ReaderOrigin(behavior, Timeout, null, this), cancellationToken).ConfigureAwait(false);
    }

    // A command of several statements is cut into them here, as a call takes either one script or single statements.
    private CommandRequest Compose()
    {
        var statements = new List<Protocol.V1.Statement>(_commands.Count);
        var owners = new List<int>(_commands.Count);
        var mayWrite = false;
        for (var i = 0; i < _commands.Count; i++)
        {
            var command = _commands[i];
            command.Begin();
            var shape = SqlShape.Of(command.CommandText);
            foreach (var range in shape.Statements)
            {
                var sql = shape.Statements.Count == 1 ? command.CommandText : command.CommandText[range];
                var one = SqlShape.Of(sql);
                if (shape.Statements.Count > 1 && one.Positional > 0)
                    throw new InvalidOperationException($"The batch's command {i} holds several statements with parameters by place (?). Give them names, or make each statement a command.");
                statements.Add(CommandRequest.MessageOf(sql, one, command.HasParameters ? command.Parameters : null));
                owners.Add(i);
                mayWrite |= !one.IsSurelyRead;
            }
        }

        if (statements.Count == 0) throw new InvalidOperationException("The batch's commands hold no SQL.");
        _owners = [.. owners];
        return new CommandRequest([.. statements], Script: false, mayWrite, IsSingle: false);
    }

    private void Check(string method)
    {
        if (Connection is null) throw new InvalidOperationException($"{method} needs a connection. Set Connection.");
        Connection.Executor(method);
        if (_commands.Count == 0) throw new InvalidOperationException($"{method} needs at least one command. Add it to BatchCommands.");
        for (var i = 0; i < _commands.Count; i++)
        {
            if (string.IsNullOrWhiteSpace(_commands[i].CommandText)) throw new InvalidOperationException($"{method}: the batch's command {i} has no SQL. Set its CommandText.");
        }
    }
}
