using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <content>Callers who want the writer for themselves, and what they do with it.</content>
internal sealed partial class DatabaseWriter
{
    /// <summary>Waits for the writer. Whoever gets it gives it back by disposing it; until then nothing else is written.</summary>
    /// <exception cref="RequestException">Too many wait, or the primary has stopped.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task<WriterTurn> TakeTurnAsync(CancellationToken cancellationToken)
    {
        var pending = new PendingTurn(_context.Time.GetTimestamp(), cancellationToken);
        _queue.Add(pending);
        Schedule();
        await using var registration = cancellationToken.UnsafeRegister(static state => ((PendingTurn)state!).HasGivenUp(), pending);
        return await pending.Task;
    }

    /// <summary>Rows of commits before this have lost their force, as of now.</summary>
    public long KeyCutoff() => _keys.Cutoff(NowMicroseconds);

    /// <summary>Begins an interactive transaction. For the turn's holder, on a writers' thread, as all that follows.</summary>
    /// <param name="key">Its idempotency key; empty for none.</param>
    /// <exception cref="RequestException">The key is used, or SQLite refused.</exception>
    public InteractiveTransaction BeginTransaction(string key)
    {
        if (key.Length > 0 && FindKey(key) is { } row && row.CommittedAt >= KeyCutoff())
        {
            throw KeyErrors.OfRow(row, key);
        }

        return _file.BeginTransaction();
    }

    /// <summary>Commits one, with its key.</summary>
    /// <returns>The end of its entry; where the log stood, if it changed nothing.</returns>
    /// <exception cref="RequestException">It is rolled back.</exception>
    public Position CommitTransaction(InteractiveTransaction transaction, string key)
    {
        if (!transaction.Wrote)
        {
            transaction.Dispose();
            return _log.Appended;
        }

        var commitTime = NextCommitTime();
        var committed = false;
        try
        {
            lock (_commit)
            {
                transaction.Commit(() => StoreKey(key, RequestHash.OfTransaction, commitTime));
                committed = true;
                return AppendCaptured(writes: 1, commitTime);
            }
        }
        finally
        {
            _keys.End(committed);
        }
    }

    /// <summary>Decides what became of the request of a key: if nothing was committed under it, nothing ever will be.</summary>
    /// <param name="key">The key.</param>
    /// <param name="age">How long ago its request may have been sent first; <see langword="null"/>: nobody knows.</param>
    /// <returns>What became of it, and the position that says so. Unknown: its row may be one of those that went.</returns>
    /// <exception cref="RequestException">It could not be decided.</exception>
    public (CommitState State, Position Position) ResolveKey(string key, TimeSpan? age)
    {
        var row = FindKey(key);
        if (row is { IsMarker: false })
        {
            return (CommitState.Committed, _log.Appended);
        }

        if (row is not null && row.CommittedAt >= KeyCutoff())
        {
            return (CommitState.NotCommitted, _log.Appended);
        }

        // A marker that has lost its force is as good as before that nothing was committed; it is written again for the time to come.
        if (row is null && _file.RunOwn(RequestKeys.PrunedTo) is { } prunedTo && !(NowMicroseconds - (age?.TotalMicroseconds ?? double.MaxValue) > prunedTo))
        {
            return (CommitState.Unknown, _log.Appended);
        }

        using var marking = _file.BeginTransaction();
        var commitTime = NextCommitTime();
        var committed = false;
        try
        {
            lock (_commit)
            {
                marking.Commit(() => StoreKey(key, [], commitTime));
                committed = true;
                return (CommitState.NotCommitted, AppendCaptured(writes: 1, commitTime));
            }
        }
        finally
        {
            _keys.End(committed);
        }
    }

    private KeyRow? FindKey(string key) => _file.RunOwn(sql => RequestKeys.Find(sql, key));

    private void StoreKey(string key, byte[] requestHash, long commitTime)
    {
        if (key.Length > 0)
        {
            var replaces = RequestKeys.Find(_file.Writer.Owner, key) is not null;
            _keys.Store(_file.Writer.Owner, [new NewKey(key, requestHash, _log.Appended.Sequence + 1, Result: null, replaces)], _log.Appended.Epoch, commitTime);
        }
    }

    // Still the only owner, without a thread, while the caller has the writer.
    private async Task LendAsync(PendingTurn pending)
    {
        var waited = _context.Time.GetElapsedTime(pending.EnqueuedAt).TotalMilliseconds;
        using var turn = new WriterTurn(_log.Appended, waited);
        if (pending.TrySetResult(turn))
        {
            _context.Metrics.QueueWait.Record(waited / 1000);
            _context.Metrics.OpenTransactions.Add(1);
            try
            {
                await turn.Ended;
            }
            finally
            {
                _context.Metrics.OpenTransactions.Add(-1);
            }

            if (NeedsCheckpoint() && _log.Failure is null)
            {
                await MaintainAsync();
                return;
            }

            await _log.WaitForRoomAsync();
        }

        Enqueue();
    }
}
