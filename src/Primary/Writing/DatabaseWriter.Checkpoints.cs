using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <content>The turns that the file needs: checkpoints, and restarts of the WAL.</content>
internal sealed partial class DatabaseWriter
{
    private static readonly KeyValuePair<string, object?> _done = new("result", "complete");
    private static readonly KeyValuePair<string, object?> _partly = new("result", "held back by a reader");
    private static readonly KeyValuePair<string, object?> _failedOnes = new("result", "failed");

    // One that an old reader or a full disk stopped is tried again after the same pause, not at once: a turn that calls itself would never rest.
    private bool NeedsIdleCheckpoint() => _log.Failure is null && !_file.IsCheckpointed && _file.IsSynced
        && _context.Time.GetElapsedTime(_wroteAt) >= _context.Options.IdleCheckpoint
        && _context.Time.GetElapsedTime(_maintainedAt) >= _context.Options.IdleCheckpoint
        && _context.IdleCheckpoints.IsFree;

    private bool NeedsCheckpoint() => _file.UncheckpointedBytes > _context.Options.CheckpointBytes && (_file.IsSynced || _file.WalSizeBytes > _context.Options.RestartWalBytes);

    private Task MaintainAsync() => MaintainAsync(isIdle: false);

    private Task MaintainIdleAsync() => MaintainAsync(isIdle: true);

    private async Task MaintainAsync(bool isIdle)
    {
        var started = _context.Time.GetTimestamp();
        _maintainedAt = started;
        var confirmed = await _log.PassAsync(_log.Appended);
        if (confirmed && _log.Failure is null)
        {
            using var turn = isIdle ? _context.IdleCheckpoints.TryBegin() : null;
            if (isIdle && turn is null)
            {
                Enqueue(); // another database's; should this one be stopping by now, its next turn sees it
                return;
            }

            await CheckpointAsync(started);
        }

        if (_stopping)
        {
            _stopped.TrySetResult();
            return; // the last turn: _scheduled stays set
        }

        Enqueue();
    }

    private async Task CheckpointAsync(long started)
    {
        var position = _log.Appended;
        try
        {
            var complete = await _context.Writers.RunAsync(() => _file.Checkpoint(position, _state));
            if (_file.WalSizeBytes > _context.Options.RestartWalBytes)
            {
                complete |= await RestartWalAsync(position, started);
            }

            if (complete)
            {
                _trimmer.Checkpointed(position); // the file is a durable base now, if others hold as much
            }

            _failedCheckpoints = 0;
            _context.Metrics.Checkpoints.Add(1, complete ? _done : _partly);
        }
        catch (Exception e) when (e is SqliteException or IOException or JournalException && ++_failedCheckpoints < 10)
        {
            _context.Metrics.Checkpoints.Add(1, _failedOnes);
            PrimaryLog.CheckpointFailed(_context.Logger, _log.Database, e);
        }
    }

    private async Task<bool> RestartWalAsync(Position position, long started)
    {
        // One long read must not stop all writes: it is waited for only when the WAL has become much too long, and ended when it takes much longer.
        var isMuchTooLong = _file.WalSizeBytes > 4 * _context.Options.RestartWalBytes;
        using var hold = await _file.Readers.TryHoldAsync(isMuchTooLong ? SqlRequests.MaxTimeout : _patienceWithReaders, _context.Time, endReads: isMuchTooLong);
        if (hold is null || !await _context.Writers.RunAsync(() => _file.RestartWal(position, _state)))
        {
            if (isMuchTooLong)
            {
                _snapshots.EndLong(); // a slow replica's; the next checkpoint restarts it
            }

            return false;
        }

        var held = _context.Time.GetElapsedTime(started);
        _context.Metrics.WalRestartPause.Record(held.TotalSeconds);
        PrimaryLog.WalRestarted(_context.Logger, _log.Database, held.TotalMilliseconds);
        return true;
    }
}
