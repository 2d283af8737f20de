using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica;

/// <summary>Waits for a bookmark, and after a short while asks the primary whether it exists at all: only the primary can say that it does not.</summary>
/// <remarks>Safe for use by any thread. One question is asked for a wait, with a time limit of its own; an unanswered one changes nothing.</remarks>
internal sealed class BookmarkInquiry(ReplicaContext context, DatabaseId database)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    public ValueTask<WaitResult> WaitAsync(BookmarkWaiters waiters, Bookmark target, TimeSpan timeout, CancellationToken cancellationToken) =>
        waiters.Judge(target) is { } result
            ? ValueTask.FromResult(result)
            : new ValueTask<WaitResult>(ParkAsync(waiters, target, timeout, cancellationToken));

    private async Task<WaitResult> ParkAsync(BookmarkWaiters waiters, Bookmark target, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var first = timeout < context.Options.AskAboutBookmarkAfter ? timeout : context.Options.AskAboutBookmarkAfter;
        var rest = timeout - first;
        var result = await waiters.WaitAsync(target, first, cancellationToken);
        if (result != WaitResult.TimedOut || rest <= TimeSpan.Zero)
        {
            return result;
        }

        if (target == Bookmark.Start)
        {
            return await waiters.WaitAsync(target, rest, cancellationToken); // it exists everywhere
        }

        using var asking = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var answer = AskAsync(target, asking.Token);
        var reached = waiters.WaitAsync(target, rest, asking.Token).AsTask();
        try
        {
            if (await Task.WhenAny(answer, reached) == answer && await answer is { } refusal)
            {
                throw refusal;
            }

            return await reached;
        }
        finally
        {
            await asking.CancelAsync();
            await answer;
            await ((Task)reached).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<RequestException?> AskAsync(Bookmark target, CancellationToken cancellationToken)
    {
        try
        {
            var node = context.Forwarder.PrimaryOf(database);
            var place = await context.Channels.ForQueries(node).CallAsync(
                ReplicationMethods.LocateBookmark,
                new LocateBookmarkRequest { DatabaseId = database.ToString(), Bookmark = target.ToString() },
                new CallOptions { Timeout = _patience },
                cancellationToken);
            return place.Place switch
            {
                BookmarkPlace.Future => BookmarkErrors.Future(target, place.Confirmed),
                BookmarkPlace.Abandoned => BookmarkErrors.Abandoned(target, place.Confirmed),
                _ => null,
            };
        }
        catch (Exception e) when (e is RpcException or RequestException or OperationCanceledException)
        {
            return null; // it can be waited for without an answer
        }
    }
}
