using Google.Protobuf;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>One replica's stream: a pump that writes what the outbox holds, and a reader of its reports.</summary>
internal sealed class Subscription(
    PrimaryGrain primary, PrimaryContext context, ReplicatedLog log, SubscribeRequest.Types.Hello hello, IResponseWriter<SubscribeResponse> responses)
{
    private const int PartBytes = 1 << 20;

    private readonly Outbox _outbox = new();
    private long _roundTripMicroseconds; // written by the reader of reports

    /// <summary>Runs until the replica or the primary goes.</summary>
    /// <param name="requests">What the replica says after its hello.</param>
    /// <param name="ending">Ends everything, the reading of requests too; cancelled on return.</param>
    public async Task RunAsync(IAsyncEnumerator<SubscribeRequest> requests, CancellationTokenSource ending)
    {
        var cancellationToken = ending.Token;
        var from = hello.From is null ? Position.Start : hello.From.ToPosition();
        var needsSnapshot = hello.From is null || !await primary.HoldsAsync(from);
        context.Metrics.CatchUps.Add(1, new KeyValuePair<string, object?>("kind", needsSnapshot ? "snapshot" : "log"));
        PrimaryLog.Subscribed(context.Logger, hello.NodeId, hello.Region, log.Database, from, needsSnapshot ? ", with a snapshot" : "");
        await responses.WriteAsync(Welcome(needsSnapshot), cancellationToken);
        if (needsSnapshot)
        {
            primary.NoteCopy(hello.NodeId, Position.Start); // whatever it had is gone, or about to be
            from = await primary.SendSnapshotAsync(hello.NodeId, responses, cancellationToken);
        }

        var id = log.Subscribe(from, _outbox);
        var reading = ReadReportsAsync(requests, id);
        try
        {
            await PumpAsync(id, cancellationToken);
        }
        finally
        {
            log.Unsubscribe(id);
            _outbox.Close();
            await ending.CancelAsync();
            await reading; // nobody may wait for a request when the enumerator is disposed
        }
    }

    private async Task PumpAsync(int id, CancellationToken cancellationToken)
    {
        while (true)
        {
            var item = _outbox.Take(context.Time.NowMicroseconds(), Volatile.Read(ref _roundTripMicroseconds));
            switch (item.Kind)
            {
                case OutboxItemKind.Message:
                    await SendAsync(item.Message!.Batch, cancellationToken);
                    break;
                case OutboxItemKind.ReadLog:
                    if (!await SendLogAsync(id, item.From, cancellationToken))
                    {
                        return; // trimmed under it: it comes again, and gets a snapshot
                    }

                    break;
                case OutboxItemKind.Empty:
                    await _outbox.WaitAsync().WaitAsync(cancellationToken);
                    break;
                default:
                    return;
            }
        }
    }

    private async Task<bool> SendLogAsync(int id, Position from, CancellationToken cancellationToken)
    {
        var entries = await context.Readers.RunAsync(() => log.Read(from));
        if (entries.Count == 0 && !log.EndsAt(from))
        {
            return false;
        }

        long bytes = 0;
        var last = from;
        foreach (var entry in entries)
        {
            var batch = new SubscribeResponse.Types.Batch { SentAt = context.Time.NowMicroseconds(), RoundTripUs = Volatile.Read(ref _roundTripMicroseconds) };
            batch.Entries.Add(UnsafeByteOperations.UnsafeWrap(entry.Encoded));
            await SendAsync(batch, cancellationToken);
            bytes += entry.Encoded.Length;
            last = entry.End;
        }

        log.Shipped(id, last, bytes);
        return true;
    }

    // A big transaction goes in parts: one message of it would be refused, and everything else would wait behind it.
    private async ValueTask SendAsync(SubscribeResponse.Types.Batch batch, CancellationToken cancellationToken)
    {
        if (batch.Entries.Any(static entry => entry.Length > PartBytes))
        {
            foreach (var entry in batch.Entries)
            {
                for (var sent = 0; sent < entry.Length; sent += PartBytes)
                {
                    var length = Math.Min(PartBytes, entry.Length - sent);
                    var part = new SubscribeResponse.Types.EntryPart
                    {
                        Bytes = UnsafeByteOperations.UnsafeWrap(entry.Memory.Slice(sent, length)), Last = sent + length == entry.Length,
                    };
                    await responses.WriteAsync(
                        new SubscribeResponse { Batch = new() { Part = part, SentAt = context.Time.NowMicroseconds(), RoundTripUs = batch.RoundTripUs } }, cancellationToken);
                }
            }

            batch.Entries.Clear();
        }

        await responses.WriteAsync(new SubscribeResponse { Batch = batch }, cancellationToken);
    }

    private async Task ReadReportsAsync(IAsyncEnumerator<SubscribeRequest> requests, int id)
    {
        try
        {
            while (await requests.MoveNextAsync())
            {
                if (requests.Current.Report is { } report)
                {
                    if (report.Echo != 0)
                    {
                        Volatile.Write(ref _roundTripMicroseconds, Math.Max(0, context.Time.NowMicroseconds() - report.Echo));
                    }

                    log.Report(id, (long)report.ReceivedBytes);
                    if (report.Checkpointed is { } checkpointed)
                    {
                        primary.NoteCopy(hello.NodeId, checkpointed.ToPosition());
                    }
                }
            }
        }
        catch (Exception)
        {
            // The stream broke: the pump notices at its next write, or by what follows.
        }
        finally
        {
            _outbox.Close();
        }
    }

    private SubscribeResponse Welcome(bool snapshotFollows) => new()
    {
        Welcome = new SubscribeResponse.Types.Welcome
        {
            Epoch = primary.Epoch,
            EpochTable = UnsafeByteOperations.UnsafeWrap(primary.EncodedEpochs),
            SnapshotFollows = snapshotFollows,
            ClockId = MonotonicClock.Id,
        },
    };
}
