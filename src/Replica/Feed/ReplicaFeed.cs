using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica;

/// <summary>The loop that keeps a copy up to date: subscribes at the primary, applies what comes, and subscribes again when the stream ends.</summary>
/// <remarks>One task, the owner of the copy. What others read of it is written by this loop only.</remarks>
internal sealed class ReplicaFeed(ReplicaContext context, DatabaseId database, ReplicaCopy copy, BookmarkWaiters waiters)
{
    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _reportEvery = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan _reportIdle = TimeSpan.FromSeconds(1); // so that the way there and back is measured while nothing happens

    private readonly KeyValuePair<string, object?> _region = new("region", context.Self.Region);
    private double _confirmLagMs;
    private long _heardAt = context.Time.GetTimestamp();
    private long _provenAt; // timestamp of the arrival of the newest message that names a proof, 0 before the first
    private long _proofAgeMicroseconds; // how old that proof was when it was sent
    private long _roundTripMicroseconds;
    private bool _sameClock;
    private MemoryStream? _parts; // of an entry that comes in several messages
    private long _receivedBytes;
    private long _reportedAt;
    private long _changedAt; // timestamp of the newest entry
    private long _echo;
    private (Position Visible, Position Checkpointed, long ReceivedBytes) _reported;
    private (Position Position, long ConfirmedAt, long SentAt, long ArrivedAt)? _unmeasured; // the oldest mark that readers cannot see yet

    /// <summary>Time since something came from the primary, or since this copy began; an artificial delay is no silence.</summary>
    public TimeSpan Silence => context.Time.GetElapsedTime(Volatile.Read(ref _heardAt)) is var silence && silence > context.Options.Delay ? silence - context.Options.Delay : TimeSpan.Zero;

    /// <summary>Of the newest mark that was measured.</summary>
    public double ConfirmLagMs => Volatile.Read(ref _confirmLagMs);

    /// <summary>Time since the newest moment at which the primary is known to have been the primary, the measured round trip and an artificial delay included; <see langword="null"/> if it never had one.</summary>
    public TimeSpan? Staleness
    {
        get
        {
            var proven = Volatile.Read(ref _provenAt);
            return proven == 0
                ? null
                : context.Time.GetElapsedTime(proven) + context.Options.Delay + TimeSpan.FromMicroseconds(Volatile.Read(ref _proofAgeMicroseconds) + Volatile.Read(ref _roundTripMicroseconds));
        }
    }

    /// <summary>Runs until it is cancelled, or the copy cannot go on.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var pause = _firstPause;
        while (!cancellationToken.IsCancellationRequested)
        {
            string reason;
            try
            {
                if (await copy.BootAsync(cancellationToken) is { } booted)
                {
                    ReplicaLog.Booted(context.Logger, database, booted, new FileInfo(copy.Path).Length);
                }

                var started = context.Time.GetTimestamp();
                var verdict = await FollowAsync(cancellationToken);
                reason = verdict == FeedVerdict.GoOn ? "the primary ended it" : verdict.ToString();
                pause = context.Time.GetElapsedTime(started) > context.Options.MaxReconnectPause ? _firstPause : Longer(pause);
                if (await RemoveIfBadAsync(verdict) is var rest && rest > pause)
                {
                    pause = rest;
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e) when (e is RpcException or RequestException or TimeoutException)
            {
                reason = e.Message;
                pause = Longer(pause);
            }
            catch (Exception e) when (e is EntryFormatException or InvalidDataException or FormatException)
            {
                reason = $"damaged bytes came: {e.Message}";
                pause = Longer(pause);
                if (LeaveAlone(reason) is var rest && rest > pause)
                {
                    pause = rest;
                }
            }

            context.Metrics.LostStreams.Add(1);
            ReplicaLog.Lost(context.Logger, database, reason, pause);
            try
            {
                await Task.Delay(pause, context.Time, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }
    }

    // A copy that is no good goes at once. What makes the next one no good either is met ever more seldom: it must not keep the primary at sending snapshots.
    private async Task<TimeSpan> RemoveIfBadAsync(FeedVerdict verdict)
    {
        switch (verdict)
        {
            case FeedVerdict.Diverged:
                ReplicaLog.Diverged(context.Logger, database, copy.Visible);
                break;
            case FeedVerdict.Damaged:
                ReplicaLog.Damaged(context.Logger, database, "readers met damaged pages.");
                break;
            case FeedVerdict.Mismatch or FeedVerdict.NotApplied:
                break; // told where it was met
            default:
                return TimeSpan.Zero;
        }

        var reason = verdict.ToString();
        context.Metrics.Rebuilds.Add(1, new KeyValuePair<string, object?>("reason", char.ToLowerInvariant(reason[0]) + reason[1..]));
        await copy.RemoveAsync();
        return LeaveAlone(reason);
    }

    private TimeSpan LeaveAlone(string reason)
    {
        var pause = context.Faults.Note(database, reason, context.Time);
        if (pause > TimeSpan.Zero)
        {
            ReplicaLog.LeftAlone(context.Logger, database, pause, reason);
        }

        return pause;
    }

    private TimeSpan Longer(TimeSpan pause) =>
        pause * 2 < context.Options.MaxReconnectPause ? pause * 2 : context.Options.MaxReconnectPause;

    private async Task<FeedVerdict> FollowAsync(CancellationToken cancellationToken)
    {
        var primary = context.Forwarder.PrimaryOf(database);
        using var watch = context.Forwarder.Watch(primary, database, cancellationToken); // one that stands still closes no stream
        await using var call = context.Channels.ForShipping(primary).OpenDuplex(ReplicationMethods.Subscribe, null, cancellationToken);
        await call.WriteAsync(Hello(), cancellationToken);
        _receivedBytes = 0;
        (_reported, _reportedAt) = (default, 0); // this primary has heard nothing yet
        _parts = null;
        _unmeasured = null;
        uint leader = 0;
        var epochs = EpochTable.Empty;
        SnapshotReceiver? snapshot = null;
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(watch.Token);
        try
        {
            await using var messages = ((IAsyncEnumerable<SubscribeResponse>)call.Responses)
                .DelayBy(context.Options.Delay, context.Time, silence.Token)
                .GetAsyncEnumerator(silence.Token);
            while (true)
            {
                var next = messages.MoveNextAsync();
                if (!await WaitAsync(next, silence))
                {
                    return FeedVerdict.GoOn;
                }

                Volatile.Write(ref _heardAt, context.Time.GetTimestamp());
                var message = messages.Current;
                var verdict = FeedVerdict.GoOn;
                switch (message.MessageCase)
                {
                    case SubscribeResponse.MessageOneofCase.Welcome:
                        leader = message.Welcome.Epoch;
                        _sameClock = message.Welcome.ClockId == MonotonicClock.Id;
                        epochs = EpochTableFormat.Read(message.Welcome.EpochTable.Span);
                        if (!copy.Welcome(leader, epochs))
                        {
                            return FeedVerdict.Resubscribe;
                        }

                        waiters.Grow(epochs);
                        ReplicaLog.Following(context.Logger, database, primary.Id, copy.Visible);
                        break;
                    case SubscribeResponse.MessageOneofCase.Snapshot:
                        snapshot ??= new SnapshotReceiver(copy.Path);
                        if (snapshot.Add(message.Snapshot))
                        {
                            await copy.InstallAsync(snapshot);
                            context.Metrics.Snapshots.Add(1);
                            ReplicaLog.Installed(context.Logger, database, snapshot.Position, new FileInfo(copy.Path).Length);
                            copy.Welcome(leader, epochs);
                            snapshot.Dispose();
                            snapshot = null;
                        }

                        break;
                    case SubscribeResponse.MessageOneofCase.Batch:
                        verdict = await TakeAsync(leader, message.Batch);
                        await ReportAsync(call, message.Batch, cancellationToken);
                        break;
                }

                if (verdict != FeedVerdict.GoOn)
                {
                    return verdict;
                }

                if (copy.TakeDamage())
                {
                    return FeedVerdict.Damaged; // the primary speaks often enough for this to be soon
                }
            }
        }
        catch (OperationCanceledException) when (silence.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(watch.IsCut ? "another node leads" : $"the primary was silent for {context.Options.SilenceLimit.TotalSeconds} s");
        }
        finally
        {
            snapshot?.Dispose();
        }
    }

    // Waits for the next message; uses the quiet for a checkpoint, and gives up on a primary that says nothing any more.
    private async ValueTask<bool> WaitAsync(ValueTask<bool> next, CancellationTokenSource silence)
    {
        if (next.IsCompleted)
        {
            return await next;
        }

        silence.CancelAfter(context.Options.SilenceLimit + context.Options.Delay);
        var more = await next;
        silence.CancelAfter(Timeout.InfiniteTimeSpan);
        return more;
    }

    private async ValueTask<FeedVerdict> TakeAsync(uint leader, SubscribeResponse.Types.Batch batch)
    {
        var arrivedAt = context.Time.NowMicroseconds();
        if (batch.Part is { } part && TakePart(part) is { } whole && TakeEntry(leader, whole) is var taken && taken != FeedVerdict.GoOn)
        {
            return taken;
        }

        foreach (var bytes in batch.Entries)
        {
            taken = TakeEntry(leader, bytes.Memory);
            if (taken != FeedVerdict.GoOn)
            {
                return taken;
            }
        }

        if (batch.RoundTripUs > 0) // a new stream has not been measured yet
        {
            Volatile.Write(ref _roundTripMicroseconds, batch.RoundTripUs);
        }

        var verdict = FeedVerdict.GoOn;
        if (batch.Mark is { } mark)
        {
            var position = mark.Position.ToPosition();
            verdict = copy.TakeMark(leader, position);
            _unmeasured ??= (position, mark.ConfirmedAt, batch.SentAt, arrivedAt);
            Measure();
        }

        if (batch.ProvenAt != 0)
        {
            // How old the proof was when it was sent, on the sender's clock; its way here comes on top.
            Volatile.Write(ref _proofAgeMicroseconds, Math.Max(0, batch.SentAt - batch.ProvenAt));
            Volatile.Write(ref _provenAt, context.Time.GetTimestamp());
        }

        if (batch.Entries.Count > 0)
        {
            _changedAt = context.Time.GetTimestamp();
        }

        var idle = batch.Entries.Count == 0 && context.Time.GetElapsedTime(_changedAt) > context.Options.IdleCheckpoint;
        if (verdict == FeedVerdict.GoOn)
        {
            verdict = await copy.MaintainAsync(idle);
            Measure();
        }

        return verdict;
    }

    // The bytes of an entry once they are complete. What a broken stream left of one is forgotten when the next one begins.
    private ReadOnlyMemory<byte>? TakePart(SubscribeResponse.Types.EntryPart part)
    {
        _parts ??= new MemoryStream();
        if (_parts.Length + part.Bytes.Length > EntryLimits.MaxEntryBytes)
        {
            throw new EntryFormatException($"An entry of more than {EntryLimits.MaxEntryBytes} bytes came in parts.");
        }

        _parts.Write(part.Bytes.Span);
        if (!part.Last)
        {
            return null;
        }

        var whole = _parts.GetBuffer().AsMemory(0, (int)_parts.Length);
        _parts = null;
        return whole;
    }

    private FeedVerdict TakeEntry(uint leader, ReadOnlyMemory<byte> bytes)
    {
        var entry = Entry.Decode(bytes);
        if (entry.Database != database)
        {
            throw new EntryFormatException($"An entry of database {entry.Database} came; {database} was subscribed to.");
        }

        var taken = copy.Take(leader, entry);
        if (taken == FeedVerdict.GoOn)
        {
            _receivedBytes += bytes.Length;
            if (entry.EpochTable is { } epochs)
            {
                waiters.Grow(epochs);
            }
        }

        return taken;
    }

    // A mark that came while the WAL waits for its restart is measured when readers can see it, not when it came.
    private void Measure()
    {
        if (_unmeasured is not { } mark || copy.Visible < mark.Position)
        {
            return;
        }

        _unmeasured = null;
        if (mark.ConfirmedAt == 0)
        {
            return;
        }

        // Between two clocks: what it waited there, half a round trip, and what it waited here. The halves of a round trip may differ, by so much it may be wrong.
        var now = context.Time.NowMicroseconds();
        var lag = _sameClock
            ? now - mark.ConfirmedAt
            : Math.Max(0, mark.SentAt - mark.ConfirmedAt) + (Volatile.Read(ref _roundTripMicroseconds) / 2) + (now - mark.ArrivedAt) + (long)context.Options.Delay.TotalMicroseconds;
        Volatile.Write(ref _confirmLagMs, lag / 1000.0);
        context.Metrics.ConfirmLag.Record(lag / 1_000_000.0, _region);
    }

    // Opens the sender's window again. Not for every batch: a report costs as much as a mark.
    private async ValueTask ReportAsync(
        DuplexCall<SubscribeRequest, SubscribeResponse> call, SubscribeResponse.Types.Batch batch, CancellationToken cancellationToken)
    {
        _echo = batch.SentAt;
        var now = context.Time.GetTimestamp();
        var heartbeat = batch.Entries.Count == 0;
        if (!heartbeat && context.Time.GetElapsedTime(_reportedAt, now) < _reportEvery)
        {
            return;
        }

        var state = (copy.Visible, copy.CheckpointedTo, _receivedBytes);
        if (heartbeat && state == _reported && (batch.Mark is not null || context.Time.GetElapsedTime(_reportedAt, now) < _reportIdle))
        {
            return;
        }

        _reportedAt = now;
        _reported = state;
        await call.WriteAsync(
            new SubscribeRequest
            {
                Report = new SubscribeRequest.Types.Report
                {
                    Visible = copy.Visible.ToMessage(), ConfirmLagMs = ConfirmLagMs, Echo = _echo, ReceivedBytes = (ulong)_receivedBytes,
                    Checkpointed = copy.CheckpointedTo.ToMessage(),
                },
            },
            cancellationToken);
    }

    private SubscribeRequest Hello() => new()
    {
        Hello = new SubscribeRequest.Types.Hello
        {
            DatabaseId = database.ToString(),
            NodeId = context.Self.Id,
            Region = context.Self.Region,
            From = !copy.HasFile ? null : copy.Visible.ToMessage(),
            ClockId = MonotonicClock.Id,
        },
    };
}
