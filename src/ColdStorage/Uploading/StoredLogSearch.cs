using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Looks in the store for what it has of a log: where the chain ends that can be gone on with, and the newest snapshot.</summary>
/// <remarks>
/// What cannot be read is passed over for the next older one, which is true all the same and claims less: one rotten object must not keep a log from being stored, and so from being trimmed.
/// </remarks>
internal sealed class StoredLogSearch(ColdStore cold, IUploadSource source, CancellationToken cancellationToken)
{
    private bool _mustReplace; // a snapshot could not be read: another is due

    private DatabaseId Database => source.Database;

    public async Task<FoundLog> FindAsync()
    {
        var first = source.First;
        var newest = await NewestSnapshotAsync();
        long bytes = 0;
        var segments = 0;
        var held = new List<(Position Last, StoredObject Object)>();
        var since = newest is not null && newest.From < first ? newest.From : first;
        await foreach (var item in cold.Store.ListAsync(ColdNames.Log(Database), ColdNames.LogFrom(Database, since), cancellationToken))
        {
            if (!ColdNames.TryParseSegment(item.Name, out _, out var last))
            {
                continue;
            }

            bytes += last > (newest?.From ?? Position.Start) ? item.SizeBytes : 0;
            segments++;
            if (last >= first && source.Holds(last))
            {
                held.Add((last, item)); // what somebody stored of a time that was abandoned is not in our log
            }
        }

        var (to, epochs, commitTime) = await ReadTipAsync(held) ?? Beginning(first, newest);
        var start = newest?.From ?? Position.Start;
        if (epochs is null && await ColdOrigin.ReadAsync(cold.Store, Database, cancellationToken) is { } origin && source.Holds(origin.Position))
        {
            // A fork goes on where it left its parent.
            (to, epochs, commitTime) = (origin.Position, origin.Epochs, origin.CommitTimeMicroseconds);
            start = newest?.From ?? origin.Position;
        }

        segments = _mustReplace ? Math.Max(segments, cold.Upload.MaxSegmentsPerSnapshot + 1) : segments;
        return new FoundLog(new StoredLog(to, start, bytes, segments), epochs, commitTime, newest);
    }

    // Without a segment: the log is stored from its start on, or behind the snapshot that began a chain; or nothing is known, and a new one begins.
    private (Position To, EpochTable? Epochs, long CommitTime) Beginning(Position first, SnapshotManifest? newest) =>
        first == Position.Start ? (first, EpochTable.Empty, 0)
        : newest is not null && source.Holds(newest.From) && ColdTimeline.IsOn(newest.Epochs, newest.From) ? (newest.From, RestoreRun.EpochsAt(newest.Epochs, newest.From), newest.CommitTime)
        : (Position.Start, null, 0);

    private async Task<SnapshotManifest?> NewestSnapshotAsync()
    {
        var snapshots = new List<ColdLink>();
        await foreach (var item in cold.Store.ListAsync(ColdNames.Snapshots(Database), cancellationToken: cancellationToken))
        {
            // On our log, as far as that can be told.
            if (ColdNames.TryParseSnapshot(item.Name, out var from, out var end) && end <= source.Confirmed
                && (source.Epochs is { } epochs ? ColdTimeline.IsOn(epochs, end) : source.Holds(end)))
            {
                snapshots.Add(new ColdLink(Database, from, end, item));
            }
        }

        for (var i = snapshots.Count - 1; i >= 0; i--)
        {
            try
            {
                var manifest = await SnapshotManifest.ReadAsync(cold.Store, Database, snapshots[i].Object, cancellationToken);
                return ColdTimeline.IsOn(manifest.Epochs, manifest.To) ? manifest : throw new ObjectDamagedException(manifest.Name, "its epoch table does not hold its end");
            }
            catch (Exception e) when (e is ObjectDamagedException or ObjectMissingException)
            {
                ColdLog.ObjectPassedOver(cold.Logger, Database, snapshots[i].Object.Name, e);
                _mustReplace = true;
            }
        }

        return null;
    }

    private async Task<(Position To, EpochTable? Epochs, long CommitTime)?> ReadTipAsync(List<(Position Last, StoredObject Object)> held)
    {
        foreach (var (last, item) in held.OrderByDescending(static segment => segment.Last))
        {
            try
            {
                var reader = await SegmentReader.OpenAsync(cold.Store, Database, item, cancellationToken);
                return (last, await reader.ReadEpochsAsync(cancellationToken), reader.Footer.LastCommitTime);
            }
            catch (Exception e) when (e is ObjectDamagedException or ObjectMissingException)
            {
                ColdLog.ObjectPassedOver(cold.Logger, Database, item.Name, e);
            }
        }

        return null;
    }
}

/// <summary>What was found of a log.</summary>
/// <param name="Log">How far the store reaches.</param>
/// <param name="Epochs">The table there; <see langword="null"/>: nothing that was read tells.</param>
/// <param name="CommitTime">Of what is newest in it.</param>
/// <param name="Newest">The newest snapshot that can be read; <see langword="null"/>: none.</param>
internal sealed record FoundLog(StoredLog Log, EpochTable? Epochs, long CommitTime, SnapshotManifest? Newest);
