using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Runs requests that only read on one copy's connections. Safe for use by any thread.</summary>
/// <remarks>
/// A read that turns out to be short runs where it is asked for: a hop to another thread costs several times what a point read does. It is given one to two thousand
/// steps of SQLite's machine (some 50 microseconds); one that needs more is stopped, having done nothing, and starts again on a worker, where its
/// text goes at once from then on. So a heavy query holds up neither the server's thread pool nor another database.
/// </remarks>
/// <typeparam name="TMark">What the copy calls a position.</typeparam>
/// <param name="readers">The copy's connections.</param>
/// <param name="workers">Where SQLite runs.</param>
/// <param name="known">Texts that are known to write.</param>
/// <param name="snapshots">Opens snapshots.</param>
/// <param name="time">Measures waits.</param>
public sealed class ReadRunner<TMark>(
    DatabaseReaders readers,
    BlockingWorkers workers,
    KnownTexts known,
    ISnapshotSource<TMark> snapshots,
    TimeProvider time)
{
    private const int MaxShortLetters = 4096; // preparing a longer text may take long by itself

    private readonly KnownTexts _long = new();
    private readonly WorkerShare _share = new(workers);

    /// <summary>Runs a whole request.</summary>
    /// <exception cref="RequestException">It could not be begun: too many wait, or the copy is going away.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public ValueTask<ReadOutcome<TMark>> ExecuteAsync(SqlRequest request)
    {
        var asked = time.GetTimestamp();
        if (MayBeShort(request) && readers.TryRent(out var lease))
        {
            using (lease)
            {
                if (TryExecuteShort(lease.Connection, request, asked) is { } outcome)
                {
                    return ValueTask.FromResult(outcome);
                }
            }
        }

        return new ValueTask<ReadOutcome<TMark>>(ExecuteOnWorkerAsync(request, asked));
    }

    private async Task<ReadOutcome<TMark>> ExecuteOnWorkerAsync(SqlRequest request, long asked)
    {
        using var lease = await readers.RentAsync(request.Cancellation);
        var work = new ExecuteWork(this, lease.Connection, request, asked);
        _share.Enqueue(work);
        return await work.Task;
    }

    /// <summary>Begins to read a request part by part. The caller disposes the result, in the middle too.</summary>
    /// <exception cref="RequestException">It could not be begun.</exception>
    public async ValueTask<StreamedRead<TMark>> OpenAsync(SqlRequest request)
    {
        var asked = time.GetTimestamp();
        var lease = await readers.RentAsync(request.Cancellation);
        try
        {
            var (kind, mark, read, error, queueMs) = await _share.RunAsync(() => Begin(lease.Connection, request, asked));
            if (kind != ReadOutcomeKind.Rows)
            {
                lease.Dispose();
            }

            return new StreamedRead<TMark>(kind, mark, read, error, queueMs, lease, _share, readers.MaxPause, time);
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    /// <summary>What the first statement of a text would need and return.</summary>
    /// <returns>The description, or the refusal; either was computed from the schema at the mark.</returns>
    /// <exception cref="RequestException">It could not be begun.</exception>
    public async ValueTask<(DescribeResponse? Description, RequestException? Error, TMark Mark)> DescribeAsync(string sql, CancellationToken cancellationToken)
    {
        using var lease = await readers.RentAsync(cancellationToken);
        return await _share.RunAsync<(DescribeResponse?, RequestException?, TMark)>(() =>
        {
            try
            {
                return (lease.Connection.Describe(sql), null, snapshots.Now());
            }
            catch (RequestException error)
            {
                return (null, error, snapshots.Now());
            }
        });
    }

    /// <summary>Takes a snapshot that a whole transaction reads. The caller disposes it.</summary>
    /// <param name="cancellationToken">Ends the wait for a connection.</param>
    /// <exception cref="RequestException">It could not be begun.</exception>
    public async ValueTask<SnapshotReads<TMark>> HoldAsync(CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();
        await readers.BeginLongAsync(cancellationToken);
        ReaderLease? lease = null;
        try
        {
            lease = await readers.RentAsync(cancellationToken);
            var connection = lease.Value.Connection;
            var (snapshot, mark) = await _share.RunShortAsync(() => snapshots.Hold(connection));
            return new SnapshotReads<TMark>(snapshot, mark, time.GetElapsedTime(asked).TotalMilliseconds, lease.Value, readers, _share, known);
        }
        catch
        {
            lease?.Dispose();
            readers.EndLong();
            throw;
        }
    }

    private (ReadOutcomeKind Kind, TMark Mark, PreparedRead? Read, RequestException? Error, double QueueMs) Begin(
        QueryConnection connection, SqlRequest request, long asked)
    {
        var queueMs = time.GetElapsedTime(asked).TotalMilliseconds;
        request.Progress?.Stage = RequestStage.Running;
        PreparedRead? read = null;
        try
        {
            if (!PreparedRead.TryPrepare(connection, request, known, out read))
            {
                return (ReadOutcomeKind.Writes, default!, null, null, queueMs);
            }

            return (ReadOutcomeKind.Rows, snapshots.Open(read!), read, null, queueMs);
        }
        catch (RequestException error)
        {
            read?.Dispose();
            return (ReadOutcomeKind.Failed, snapshots.Now(), null, error, queueMs);
        }
        catch
        {
            read?.Dispose();
            throw;
        }
    }

    private ReadOutcome<TMark> Execute(QueryConnection connection, SqlRequest request, long asked)
    {
        var (kind, mark, read, error, queueMs) = Begin(connection, request, asked);
        if (read is null)
        {
            return new(kind, mark, null, error, queueMs);
        }

        using (read)
        {
            try
            {
                return new(ReadOutcomeKind.Rows, mark, ResultCollector.Collect(read, request.MaxResultBytes), null, queueMs);
            }
            catch (RequestException failure)
            {
                return new(ReadOutcomeKind.Failed, mark, null, failure, queueMs); // computed from the snapshot, as rows would be
            }
        }
    }

    private bool MayBeShort(SqlRequest request)
    {
        if (request.Statements.Count != 1)
        {
            return false;
        }

        var sql = request.Statements[0].Sql;
        return sql.Length is > 0 and <= MaxShortLetters && !request.Script && !_long.Contains(sql);
    }

    // Nothing when it has to go to a worker: it is longer than hoped, or a writer is in its way.
    private ReadOutcome<TMark>? TryExecuteShort(QueryConnection connection, SqlRequest request, long asked)
    {
        PreparedRead? read = null;
        try
        {
            if (!PreparedRead.TryPrepare(connection, request, known, out read))
            {
                return new(ReadOutcomeKind.Writes, default!, null, null, time.GetElapsedTime(asked).TotalMilliseconds);
            }

            if (!snapshots.TryOpen(read!, out var mark))
            {
                return null;
            }

            read!.BeShort();
            var queueMs = time.GetElapsedTime(asked).TotalMilliseconds;
            try
            {
                return new(ReadOutcomeKind.Rows, mark, ResultCollector.Collect(read, request.MaxResultBytes), null, queueMs);
            }
            catch (RequestException failure)
            {
                return new(ReadOutcomeKind.Failed, mark, null, failure, queueMs);
            }
        }
        catch (CutShortException)
        {
            _long.Add(request.Statements[0].Sql);
            return null;
        }
        catch (RequestException)
        {
            return null; // the worker finds the same, and waits for the position that the error was computed from
        }
        finally
        {
            read?.Dispose();
        }
    }

    private sealed class ExecuteWork(ReadRunner<TMark> owner, QueryConnection connection, SqlRequest request, long asked) : BlockingWork
    {
        private readonly TaskCompletionSource<ReadOutcome<TMark>> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<ReadOutcome<TMark>> Task => _done.Task;

        public override void Run() => _done.SetResult(owner.Execute(connection, request, asked));

        public override void Refuse(Exception reason) => _done.SetException(reason);
    }
}
