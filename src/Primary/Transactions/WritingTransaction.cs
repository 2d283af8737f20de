using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>An interactive transaction that may write: it has the writer for itself until it ends, and a thread only while its SQL runs.</summary>
/// <remarks>
/// Others' commits that it is built on may be unconfirmed when it gets the writer. Begin is answered when they are confirmed, so everything it shows later
/// is computed from confirmed state and from its own.
/// </remarks>
internal sealed class WritingTransaction : IOpenTransaction
{
    private readonly WriterParts _parts;
    private readonly WriterTurn _turn;
    private readonly InteractiveTransaction _transaction;
    private readonly string _key;
    private bool _isDisposed;

    private WritingTransaction(WriterParts parts, WriterTurn turn, InteractiveTransaction transaction, string key, Served served)
    {
        _parts = parts;
        _turn = turn;
        _transaction = transaction;
        _key = key;
        Begun = new Done { Bookmark = BookmarkOf(turn.Position), Served = served };
    }

    /// <inheritdoc/>
    public Done Begun { get; }

    /// <inheritdoc/>
    public bool IsOpen => _transaction.IsOpen;

    /// <summary>Waits for the writer and begins.</summary>
    /// <param name="parts">The primary's parts.</param>
    /// <param name="key">Idempotency key of the whole; empty for none.</param>
    /// <param name="lease">Its time, which starts when it has the writer.</param>
    /// <param name="served">Who answers, by the wait for the writer.</param>
    /// <exception cref="RequestException">It cannot begin.</exception>
    /// <exception cref="OperationCanceledException">The lease or the call has ended.</exception>
    public static async Task<IOpenTransaction> BeginAsync(WriterParts parts, string key, TransactionLease lease, Func<double, Served> served)
    {
        var turn = await parts.Writer.TakeTurnAsync(lease.Token);
        WritingTransaction? begun = null;
        RequestException? refused = null;
        try
        {
            lease.Start();
            begun = new WritingTransaction(parts, turn, await parts.Workers.RunShortAsync(() => parts.Writer.BeginTransaction(key)), key, served(turn.QueueMs));
        }
        catch (RequestException e)
        {
            refused = e;
        }
        finally
        {
            if (begun is null)
            {
                turn.Dispose();
            }
        }

        try
        {
            await parts.PassAsync(turn.Position).WaitAsync(lease.Token);
        }
        catch
        {
            await (begun?.DisposeAsync() ?? default);
            throw;
        }

        if (refused is not null)
        {
            refused.Error.Bookmark = turn.Position.ToBookmark(parts.Log.Database).ToString();
            throw refused;
        }

        return begun!;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ResultPart> ExecuteAsync(SqlRequest request)
    {
        var outcome = await _parts.Workers.RunShortAsync(() => _transaction.Execute(request));
        foreach (var part in outcome.Parts)
        {
            yield return part;
        }

        switch (outcome.Error)
        {
            case RequestException failure:
                throw failure;
            case OperationCanceledException:
                throw new OperationCanceledException(request.Cancellation);
        }
    }

    /// <inheritdoc/>
    public async Task<Done> CommitAsync()
    {
        Position position;
        try
        {
            position = await _parts.Workers.RunShortAsync(() => _parts.Writer.CommitTransaction(_transaction, _key));
        }
        catch (Exception e) when (e is not RequestException)
        {
            _turn.Fail(e); // what was committed here may be missing in the log: this primary ends
            throw LostWrite.Explain(_parts.Log);
        }
        finally
        {
            await DisposeAsync(); // the writer is free while the entry travels
        }

        return await _parts.Log.PassAsync(position)
            ? new Done { Bookmark = BookmarkOf(position), Served = Begun.Served }
            : throw LostWrite.Explain(_parts.Log);
    }

    /// <inheritdoc/>
    public async Task<Done> RollbackAsync()
    {
        await DisposeAsync();
        return Begun;
    }

    /// <summary>Rolls back what is open and gives the writer back.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        try
        {
            if (_transaction.IsOpen)
            {
                await RollBackAsync();
            }

            _turn.Dispose();
        }
#pragma warning disable CA1031 // Whatever it is, the connection's state is not known, and nobody may write on it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _turn.Fail(e);
        }
    }

    private async Task RollBackAsync()
    {
        try
        {
            await _parts.Workers.RunShortAsync(_transaction.Dispose);
        }
        catch (Exception e) when (_transaction.IsOpen && e is RequestException or ObjectDisposedException)
        {
            _transaction.Dispose(); // no worker takes it; it is short, and cannot be left
        }
    }

    private string BookmarkOf(Position position) => position.ToBookmark(_parts.Log.Database).ToString();
}

/// <summary>What a transaction needs of its primary.</summary>
internal sealed record WriterParts(DatabaseWriter Writer, ReplicatedLog Log, BlockingWorkers Workers)
{
    /// <summary>Completes when a position is confirmed.</summary>
    /// <exception cref="RequestException">It never will be here.</exception>
    public async Task PassAsync(Position position)
    {
        if (!await Log.PassAsync(position))
        {
            throw LostWrite.ExplainRead(Log);
        }
    }
}
