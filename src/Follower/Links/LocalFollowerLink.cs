using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

/// <summary>The way to the follower on the leader's own node: no bytes, but queues both ways. The answers' one always changes threads, so that the leader is never called under the follower's lock.</summary>
internal sealed class LocalFollowerLink(Guid member, DatabaseId database, Promise promise, IFollowerObserver observer, TimeProvider time, FollowerNode node)
    : FollowerLink(member, database, promise, observer, time)
{
    private readonly TimeProvider _time = time;

    protected override async Task<string> ServeAsync(CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var replies = new ReplyOutbox(ending, sendsHere: false);
        var outbox = new LinkOutbox(ending, _time);
        Connected(outbox);
        if (node.TryOpen(Database, Member, Promise, replies, out var reason) is not { } stream)
        {
            Received(new NotMember(Promise, reason));
            return reason;
        }

        var sending = SendAsync(stream, outbox, ending);
        try
        {
            while (await replies.TakeAsync(ending.Token) is { } message)
            {
                Received(message);
            }

            return replies.Reason;
        }
        catch (OperationCanceledException)
        {
            return replies.Reason.Length > 0 ? replies.Reason : "the leader gave the stream up";
        }
        finally
        {
            await ending.CancelAsync();
            await sending;
            stream.Close(outbox.IsReleased);
            replies.End("The link ended.");
        }
    }

    protected override Task<FollowerRead> ReadAsync(Position after, long maxBytes, CancellationToken cancellationToken) =>
        Task.FromResult(node.Read(Database, Member, Promise, after, maxBytes));

    private static async Task SendAsync(FollowerStream stream, LinkOutbox outbox, CancellationTokenSource ending)
    {
        try
        {
            while (await outbox.TakeAsync(ending.Token) is { } message)
            {
                if (message is not (Append or Mark or Heartbeat))
                {
                    await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // it may read from the disk, and whoever sends has more to do
                }

                await stream.Receive(message).WaitAsync(ending.Token);
            }

            await ending.CancelAsync(); // the leader ends it
        }
        catch (OperationCanceledException)
        {
            // The stream has ended.
        }

        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // the link's end is not for the thread that spoke last
    }
}
