using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <content>What replicas are given: answers about bookmarks, the log as it grows, images of the database.</content>
public sealed partial class PrimaryGrain
{
    /// <summary>Where a bookmark lies. Only the primary can say that it does not exist yet, and only while it can prove that it is the primary.</summary>
    internal async Task<LocateBookmarkResponse> LocateAsync(Bookmark bookmark)
    {
        if (IsAbove(bookmark, _log.Appended))
        {
            await ProveAsync();
        }

        return Locate(bookmark);
    }

    /// <summary>The same, as far as this primary knows.</summary>
    internal LocateBookmarkResponse Locate(Bookmark bookmark)
    {
        var confirmed = _log.Confirmed;
        var place = _epochs.IsAbandoned(bookmark, confirmed.Epoch) ? BookmarkPlace.Abandoned
            : IsAbove(bookmark, _log.Appended) ? BookmarkPlace.Future
            : BookmarkPlace.OnTimeline;
        return new LocateBookmarkResponse { Place = place, Confirmed = confirmed.ToBookmark(_database).ToString() };
    }

    /// <summary>Whether a position lies on this log, near enough to go on from.</summary>
    internal async Task<bool> HoldsAsync(Position position) =>
        position == _log.Confirmed || await _context.Readers.RunAsync(() => _context.OwnFollower.LogOf(_database) is var log && position <= log.Last && log.Holds(position));

    /// <summary>Serves one replica until one of the two goes.</summary>
    internal async Task ServeAsync(
        SubscribeRequest.Types.Hello hello, IAsyncEnumerator<SubscribeRequest> reports, IResponseWriter<SubscribeResponse> responses, CancellationTokenSource ending)
    {
        await using var stopping = _stopping.Token.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), ending);
        try
        {
            await new Subscription(this, _context, _log, hello, responses).RunAsync(reports, ending);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            throw new RequestException(ErrorCodes.NoPrimary, "The primary is going away. Subscribe again.");
        }
    }

    /// <summary>Streams an image of the database. It leaves only when the state that it shows is confirmed.</summary>
    /// <returns>The state's position.</returns>
    /// <exception cref="RequestException">It took so long that the WAL had grown much too long.</exception>
    internal async Task<Position> SendSnapshotAsync(string nodeId, IResponseWriter<SubscribeResponse> responses, CancellationToken cancellationToken)
    {
        using var use = _snapshots.Enter();
        using var running = _sending.Begin(nodeId, cancellationToken);
        var (snapshot, position, commitTime) = await _context.Readers.RunAsync(() =>
        {
            lock (_commit)
            {
                return (SnapshotReader.Open(_file.Path), _log.Appended, _writer.CommitTimeMicroseconds);
            }
        });
        await using var sender = new SnapshotSender(snapshot, position, commitTime, _context.Readers, _context.Time);
        try
        {
            await PassAsync(position);
            await sender.SendAsync((part, cancellation) => responses.WriteAsync(new SubscribeResponse { Snapshot = part }, cancellation), running.Token);
            running.IsComplete = true;
            return position;
        }
        catch (OperationCanceledException) when (running.WasEnded && !cancellationToken.IsCancellationRequested)
        {
            var reason = running.Reason;
            PrimaryLog.SnapshotEnded(_context.Logger, nodeId, _database, reason.Message);
            throw reason;
        }
    }

    /// <summary>A replica says how much its main file holds, synced.</summary>
    internal void NoteCopy(string nodeId, Position checkpointed)
    {
        if (_bases.Note(nodeId, checkpointed))
        {
            _trimmer.Look();
        }
    }

    private static bool IsAbove(Bookmark bookmark, Position position) =>
        (bookmark.Epoch, bookmark.Sequence).CompareTo((position.Epoch, position.Sequence)) > 0;
}
