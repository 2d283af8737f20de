using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using Promise = ReplicatedSqlite.Cluster.Promise;

namespace ReplicatedSqlite.Follower;

/// <summary>The way to a follower on another node. The node is looked up at each attempt, so that it may move.</summary>
internal sealed class GrpcFollowerLink(
    Guid member, DatabaseId database, Promise promise, IFollowerObserver observer, TimeProvider time, Func<Guid, GrpcChannel?> find, string self)
    : FollowerLink(member, database, promise, observer, time)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time = time;

    protected override async Task<string> ServeAsync(CancellationToken cancellationToken)
    {
        if (find(Member) is not { } channel)
        {
            return $"no node with journal {Member} is alive";
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var call = channel.OpenDuplex(FollowerMethods.Follow, null, ending.Token);
        await call.WriteAsync(
            new()
            {
                Promise = FollowerWire.Encode(Promise),
                Hello = new() { DatabaseId = Database.ToString(), JournalId = FollowerWire.EncodeJournal(Member), NodeId = self },
            },
            ending.Token);
        await call.ReadHeadersAsync().WaitAsync(_patience, _time, cancellationToken);
        var outbox = new LinkOutbox(ending, _time);
        Connected(outbox);
        var sending = SendAsync(call, outbox, ending);
        try
        {
            await foreach (var response in call.Responses.WithCancellation(ending.Token))
            {
                Received(FollowerWire.Decode(response));
            }

            return "the follower ended the stream";
        }
        finally
        {
            await ending.CancelAsync();
            await sending;
        }
    }

    protected override async Task<FollowerRead> ReadAsync(Position after, long maxBytes, CancellationToken cancellationToken)
    {
        if (find(Member) is not { } channel)
        {
            return new(FollowerReadOutcome.NotMember, [], $"No node with journal {Member} is alive.");
        }

        try
        {
            var request = new ReadLogRequest
            {
                DatabaseId = Database.ToString(), JournalId = FollowerWire.EncodeJournal(Member), Promise = FollowerWire.Encode(Promise), After = after.ToMessage(), MaxBytes = maxBytes,
            };
            await using var responses = channel.OpenServerStream(FollowerMethods.Read, request, null, cancellationToken);
            return await ReadCollector.CollectAsync(responses, after, cancellationToken);
        }
        catch (Exception e) when (e is RpcException or EntryFormatException)
        {
            return new(FollowerReadOutcome.NotMember, [], e.Message);
        }
    }

    private async Task SendAsync(DuplexCall<FollowRequest, FollowResponse> call, LinkOutbox outbox, CancellationTokenSource ending)
    {
        try
        {
            while (await outbox.TakeAsync(ending.Token) is { } message)
            {
                foreach (var request in FollowerWire.Encode(message))
                {
                    await call.WriteAsync(request, ending.Token);
                }
            }

            if (outbox.IsReleased)
            {
                await call.WriteAsync(new() { Promise = FollowerWire.Encode(Promise), Release = new() }, ending.Token);
            }

            await call.CompleteAsync(); // the follower ends the stream then
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException)
        {
            await ending.CancelAsync(); // the reader says why
        }

        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // the link's end is not for the thread that spoke last
    }
}
