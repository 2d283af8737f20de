namespace ReplicatedSqlite.Sqlite;

/// <content>Getting readers, and the snapshots that idle ones keep, out of the way of checkpoints and of the WAL's restart.</content>
public sealed partial class DatabaseReaders
{
    /// <summary>Ends the snapshots that idle connections keep, and has those that are lent keep none of now: a checkpoint is about to pass them.</summary>
    public void LetGo()
    {
        lock (_gate)
        {
            LetGoIdle();
        }
    }

    // Under the lock.
    private void LetGoIdle()
    {
        _round++;
        foreach (var connection in _idle)
        {
            connection.LetGo();
        }
    }

    /// <summary>Keeps new reads back and waits for those under way, as long as the patience lasts.</summary>
    /// <param name="patience">How long in all.</param>
    /// <param name="time">Clock.</param>
    /// <param name="endReads">Whether reads that take longer than <see cref="ReaderOptions.PatienceWithReads"/> are ended then, each with an error that says why.</param>
    /// <returns>Lets reads in again when it is disposed; <see langword="null"/> if a read did not end in time, and then they are let in already.</returns>
    public async Task<IDisposable?> TryHoldAsync(TimeSpan patience, TimeProvider time, bool endReads = false)
    {
        Task drained;
        lock (_gate)
        {
            if (_held)
            {
                throw new InvalidOperationException("The readers are held already; a restart of the WAL is a turn of one owner.");
            }

            _held = true;
            LetGoIdle();
            drained = WhenDrained();
        }

        try
        {
            if (endReads && _options.PatienceWithReads < patience && !await EndsWithinAsync(drained, _options.PatienceWithReads, time))
            {
                await EndReadsAsync();
            }

            await drained.WaitAsync(patience, time);
            return new Hold(this);
        }
        catch (TimeoutException)
        {
            Release();
            return null;
        }
    }

    private static async Task<bool> EndsWithinAsync(Task drained, TimeSpan patience, TimeProvider time)
    {
        try
        {
            await drained.WaitAsync(patience, time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    // Nobody has begun to read since the hold began, so those that are lent a connection now are all old.
    private async Task EndReadsAsync()
    {
        CancellationTokenSource ended;
        lock (_gate)
        {
            foreach (var connection in Lent())
            {
                connection.Watch.IsInTheWay = true;
            }

            ended = _inTheWay;
            _inTheWay = new();
        }

        await ended.CancelAsync(); // those whose client takes its time
        ended.Dispose();
    }

    // Under the lock. Kept snapshots of old states go when the file has changed, those of all idle connections: SQLite has five places for readers at different states, and one that
    // finds none free of its own stands at an older place, where it keeps a checkpoint back, or waits for seconds.
    private bool NoticeChange()
    {
        if (_seen!.IsStill)
        {
            return false;
        }

        _seen.Note();
        foreach (var idle in _idle)
        {
            idle.LetGoIfOld();
        }

        return true;
    }

    private void Release()
    {
        List<(Waiter, QueryConnection)>? served;
        lock (_gate)
        {
            _held = false;
            served = _disposed ? null : Serve();
        }

        Hand(served);
    }

    private sealed class Hold(DatabaseReaders owner) : IDisposable
    {
        private int _released;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _released, 1) == 0)
            {
                owner.Release();
            }
        }
    }
}
