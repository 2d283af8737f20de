using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Replica;

/// <content>The turns that the file needs: checkpoints, and restarts of the WAL.</content>
internal sealed partial class ReplicaCopy
{
    /// <summary>Checkpoints and restarts of the WAL, where they are due. A turn of the loop: nothing is applied meanwhile.</summary>
    /// <param name="idle">Nothing has arrived for a while.</param>
    public async Task<FeedVerdict> MaintainAsync(bool idle)
    {
        if (_file is not { } file)
        {
            return FeedVerdict.GoOn;
        }

        _restartWanted |= file.WalSizeBytes > _restartAt;
        if (_restartWanted && file.Hidden == 0 && _core.Hidden == 0)
        {
            await RestartWalAsync(file);
            return TakeDeferred();
        }

        var isDue = file.UncheckpointedBytes > context.Options.CheckpointBytes;
        using var turn = idle && !isDue && !file.IsCheckpointed ? context.IdleCheckpoints.TryBegin() : null;
        if (isDue || turn != null)
        {
            var visible = _core.Visible;
            await context.Workers.RunAsync(() => file.Checkpoint(visible, _state));
        }

        return FeedVerdict.GoOn;
    }

    private async Task RestartWalAsync(ReplicaFile file)
    {
        await context.Workers.RunAsync(() => file.Checkpoint(_core.Visible, _state)); // most of the work, before anybody is held back
        var started = context.Time.GetTimestamp();
        var isMuchTooLong = file.WalSizeBytes > 4 * context.Options.RestartWalBytes;
        using var hold = await file.Readers.TryHoldAsync(isMuchTooLong ? SqlRequests.MaxTimeout : _patienceWithReaders, context.Time, endReads: isMuchTooLong);
        var restarted = hold is not null && await context.Workers.RunAsync(() => file.RestartWal(_core.Visible, _state));
        _restartWanted = false;
        if (!restarted && isMuchTooLong)
        {
            _sending.EndLong(); // the next try restarts it
        }

        // A long read stands in the way: go on, and try again when the WAL has grown by as much as a checkpoint takes.
        _restartAt = restarted ? context.Options.RestartWalBytes : file.WalSizeBytes + context.Options.CheckpointBytes;
        if (restarted)
        {
            var held = context.Time.GetElapsedTime(started);
            context.Metrics.WalRestartPause.Record(held.TotalSeconds);
            ReplicaLog.WalRestarted(context.Logger, database, held.TotalMilliseconds);
        }
    }

    private FeedVerdict TakeDeferred()
    {
        while (_deferred.TryDequeue(out var item))
        {
            var verdict = item.Entry is { } entry ? Take(item.Leader, entry) : TakeMark(item.Leader, item.Mark);
            if (verdict != FeedVerdict.GoOn)
            {
                _deferred.Clear();
                return verdict;
            }
        }

        return FeedVerdict.GoOn;
    }
}
