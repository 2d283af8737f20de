using Google.Protobuf;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using NotMember = ReplicatedSqlite.Cluster.NotMember;

namespace ReplicatedSqlite.Follower;

/// <summary><c>replicatedsqlite.internal.v1.Follower</c> on one node.</summary>
/// <param name="node">What it serves.</param>
/// <param name="reach">Knows when a leader's node is silent for too long: one that stands still, or is cut off, closes no stream. Without it streams end by themselves alone.</param>
public sealed class FollowerService(FollowerNode node, NodeReach? reach = null)
{
    private const long MaxReadBytes = 16 << 20;

    /// <summary>Adds the methods to a node's endpoints.</summary>
    public void Map(GrpcServices services)
    {
        services.MapDuplex(FollowerMethods.Follow, FollowAsync);
        services.MapServerStreaming(FollowerMethods.Read, ReadAsync);
        services.MapUnary(FollowerMethods.Probe, Probe);
    }

    private async ValueTask FollowAsync(IAsyncEnumerable<FollowRequest> requests, IResponseWriter<FollowResponse> responses, ServerCallContext call)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken, node.EndOfStreams);
        var outbox = new ReplyOutbox(ending, sendsHere: true);
        await using var messages = requests.GetAsyncEnumerator(ending.Token);
        if (!await messages.MoveNextAsync() || messages.Current.Hello is not { } hello)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, "A leader's stream begins with a hello.");
        }

        var promise = FollowerWire.Decode(messages.Current.Promise);
        await call.SendHeadersAsync();
        if (node.TryOpen(ParseId(hello.DatabaseId), FollowerWire.DecodeJournal(hello.JournalId), promise, outbox, out var reason) is not { } stream)
        {
            await responses.WriteAsync(FollowerWire.Encode(new NotMember(promise, reason)), call.CancellationToken);
            return;
        }

        reach?.Heard(hello.NodeId);
        await using var loss = reach?.LossOf(hello.NodeId).UnsafeRegister(static state => ((ReplyOutbox)state!).End("The leader's node is silent."), outbox) ?? default;
        var sending = SendAsync(outbox, responses, call.CancellationToken);
        var released = false;
        try
        {
            while (!released && await messages.MoveNextAsync())
            {
                reach?.Heard(hello.NodeId);
                released = messages.Current.MessageCase == FollowRequest.MessageOneofCase.Release;
                if (!released)
                {
                    await stream.Receive(FollowerWire.Decode(messages.Current)).WaitAsync(ending.Token);
                }
            }
        }
        catch (OperationCanceledException) when (!call.CancellationToken.IsCancellationRequested)
        {
            throw new RequestException(ErrorCodes.Overloaded, outbox.Reason.Length > 0 ? outbox.Reason : "The node stops.");
        }
        catch (Exception e) when (e is EntryFormatException or FormatException)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, $"Damaged bytes came: {e.Message}");
        }
        finally
        {
            stream.Close(released);
            outbox.End("The leader's stream ended.");
            await sending;
        }
    }

    private static async Task SendAsync(ReplyOutbox outbox, IResponseWriter<FollowResponse> responses, CancellationToken cancellationToken)
    {
        try
        {
            while (await outbox.TakeAsync(cancellationToken) is { } message)
            {
                await responses.WriteAsync(FollowerWire.Encode(message), cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            outbox.End("The leader has gone.");
        }

        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // the stream's end is not for the thread that answered last
    }

    private async ValueTask ReadAsync(ReadLogRequest request, IResponseWriter<ReadLogResponse> responses, ServerCallContext call)
    {
        var read = node.Read(
            ParseId(request.DatabaseId), FollowerWire.DecodeJournal(request.JournalId), FollowerWire.Decode(request.Promise), request.After.ToPosition(), Math.Min(request.MaxBytes, MaxReadBytes));
        var outcome = read.Outcome switch
        {
            FollowerReadOutcome.Read => ReadLogOutcome.Read,
            FollowerReadOutcome.Trimmed => ReadLogOutcome.Trimmed,
            FollowerReadOutcome.NotHeld => ReadLogOutcome.NotHeld,
            FollowerReadOutcome.Refused => ReadLogOutcome.Refused,
            _ => ReadLogOutcome.NotMember,
        };
        var response = new ReadLogResponse { Outcome = outcome, Detail = read.Detail, First = read.First.ToMessage() };
        var bytes = 0;
        foreach (var entry in read.Entries)
        {
            if (bytes > 0 && bytes + entry.Encoded.Length > FollowerWire.TargetBytes)
            {
                await responses.WriteAsync(response, call.CancellationToken);
                (response, bytes) = (new() { Outcome = outcome }, 0);
            }

            if (entry.Encoded.Length <= FollowerWire.TargetBytes)
            {
                response.Entries.Add(UnsafeByteOperations.UnsafeWrap(entry.Encoded));
                bytes += entry.Encoded.Length;
                continue;
            }

            for (var at = 0; at < entry.Encoded.Length; at += FollowerWire.TargetBytes)
            {
                var length = Math.Min(FollowerWire.TargetBytes, entry.Encoded.Length - at);
                await responses.WriteAsync(
                    new() { Outcome = outcome, Part = UnsafeByteOperations.UnsafeWrap(entry.Encoded.Slice(at, length)), IsLastPart = at + length == entry.Encoded.Length },
                    call.CancellationToken);
            }
        }

        await responses.WriteAsync(response, call.CancellationToken);
    }

    private ValueTask<ProbeResponse> Probe(ProbeRequest request, ServerCallContext call)
    {
        var answer = node.Probe(ParseId(request.DatabaseId), FollowerWire.DecodeJournal(request.JournalId), request.Activation);
        return ValueTask.FromResult(answer is { } known
            ? new ProbeResponse { IsMember = true, HasLost = known.HasLost, Promised = FollowerWire.Encode(known.Promised), Last = known.Last.ToMessage() }
            : new ProbeResponse());
    }

    private static DatabaseId ParseId(string id) =>
        Guid.TryParse(id, out var guid) ? new(guid) : throw new RequestException(ErrorCodes.InvalidRequest, $"'{id}' is not a database's id.");
}
