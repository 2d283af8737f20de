using System.Data;
using System.Runtime.CompilerServices;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>Carries out what a command or a batch asks for, in its transaction or as one of its own.</summary>
internal static class CommandRunner
{
    // Beyond the SQL's own time: the way there and back, so that the server's answer, which knows what was written, comes first.
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(2);

    /// <summary>Runs everything and gives all results at once.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<ExecuteResponse> ExecuteAsync(
        ReplicatedSqliteConnection connection, CommandRequest request, CommandCall call, int timeoutSeconds, CancellationToken cancellationToken)
    {
        var timeout = TimeoutOf(timeoutSeconds);
        if (connection.Transaction is { } transaction)
        {
            return await call.WaitAsync(new ValueTask<ExecuteResponse>(transaction.ExecuteAsync(request, timeout, call.Token)), cancellationToken).ConfigureAwait(false);
        }

        var executor = connection.Executor("A command");
        var message = request.ToExecute(executor, timeout, out var nature);
        var registration = cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), call);
        await using (registration.ConfigureAwait(false))
        {
            try
            {
                return await executor.SendAsync(message, nature, timeout + _grace ?? Timeout.InfiniteTimeSpan, call.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException e)
            {
                throw call.Translate(e, cancellationToken);
            }
        }
    }

    /// <summary>Runs everything; the results come while they are read.</summary>
    public static async Task<ReplicatedSqliteDataReader> OpenAsync(
        ReplicatedSqliteConnection connection, CommandRequest request, CommandCall call, ReaderOrigin origin, CancellationToken cancellationToken)
    {
        var timeout = TimeoutOf(origin.TimeoutSeconds);
        IAsyncEnumerable<StreamPart> parts;
        if (request.IsEmpty)
        {
            parts = AsyncEnumerable.Empty<StreamPart>();
        }
        else if ((origin.Behavior & CommandBehavior.SchemaOnly) != 0)
        {
            parts = DescribeAsync(connection.Executor("A command"), request, call.Token);
        }
        else if (connection.Transaction is { } transaction)
        {
            await transaction.MakeRoomAsync(call.Token).ConfigureAwait(false);
            parts = transaction.OpenAsync(request, timeout, call.Token);
        }
        else
        {
            var executor = connection.Executor("A command");
            var message = request.ToStream(executor, timeout, out var nature);
            parts = executor.OpenAsync(message, nature, null, call.Token);
        }

        var reader = new ReplicatedSqliteDataReader(connection, parts, request, call, origin);
        connection.Add(reader);
        try
        {
            await reader.BeginAsync(cancellationToken).ConfigureAwait(false);
            return reader;
        }
        catch
        {
            await reader.AbandonAsync().ConfigureAwait(false);
            if ((origin.Behavior & CommandBehavior.CloseConnection) != 0) await connection.CloseAsync().ConfigureAwait(false); // nobody gets a reader to close
            throw;
        }
    }

    /// <summary>Refuses what is no <see cref="CommandBehavior"/>.</summary>
    public static void Check(CommandBehavior behavior)
    {
        const CommandBehavior All = CommandBehavior.SingleResult | CommandBehavior.SchemaOnly | CommandBehavior.KeyInfo | CommandBehavior.SingleRow
            | CommandBehavior.SequentialAccess | CommandBehavior.CloseConnection;
        if ((behavior & ~All) != 0) throw new ArgumentOutOfRangeException(nameof(behavior), behavior, $"Flags of CommandBehavior are wanted, and {(int)(behavior & ~All)} is none.");
    }

    // The columns of each statement, which is not run. In a transaction: as they are committed.
    private static async IAsyncEnumerable<StreamPart> DescribeAsync(SqlExecutor executor, CommandRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var index = 0;
        foreach (var statement in request.Statements)
        {
            var shape = SqlShape.Of(statement.Sql);
            foreach (var range in shape.Statements)
            {
                var described = await executor.DescribeAsync(statement.Sql[range], executor.Defaults.Read, cancellationToken).ConfigureAwait(false);
                yield return new ResultStart(index, described.Columns, null);
                yield return new ResultEnd(index++, StatementMeta.From(null));
            }
        }
    }

    /// <summary>Whether an answer was too large for one message; nothing was done then, and the same can be streamed.</summary>
    public static bool IsTooLarge(ReplicatedSqliteException exception) => exception.Code == ErrorCodes.ResultTooLarge;

    private static TimeSpan? TimeoutOf(int seconds) => seconds == 0 ? null : TimeSpan.FromSeconds(seconds);
}

/// <summary>What a reader's maker asked for.</summary>
/// <param name="Behavior">The command's.</param>
/// <param name="TimeoutSeconds">Longest wait for an answer or for the next rows; 0: none.</param>
/// <param name="Command">The command, to be told of the reader's end; null for a batch.</param>
/// <param name="Batch">The batch, to be told what its commands did; null for a command.</param>
internal sealed record ReaderOrigin(CommandBehavior Behavior, int TimeoutSeconds, ReplicatedSqliteCommand? Command, ReplicatedSqliteBatch? Batch);
