using Google.Protobuf;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>What waits to be written to one subscriber's stream. What waits together travels together.</summary>
/// <remarks>
/// Entries are bounded by the subscriber's window, which <see cref="ShippingCore"/> keeps; of marks only the newest is kept. Filled by the log's lock holder, emptied by
/// the subscriber's own pump.
/// </remarks>
internal sealed class Outbox
{
    // Streams aim at messages of this size, so that a mark is never long behind a large message.
    private const int TargetMessageBytes = 256 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<Entry> _entries = new(); // under _gate
    private TaskCompletionSource _filled = NewSignal(); // under _gate; replaced by the pump
    private Position _lastTaken; // under _gate: the last entry that went out
    private Position _mark; // under _gate
    private long _confirmedAt; // under _gate
    private bool _hasMark; // under _gate
    private bool _hasReadRequest; // under _gate
    private Position _readFrom; // under _gate
    private bool _beat; // under _gate: a heartbeat is due
    private long _provenAt; // under _gate: told with the next message; 0 when it has been
    private bool _closed; // under _gate

    /// <summary>Takes an entry. The pump hears of it by <see cref="Wake"/>.</summary>
    public void Add(Entry entry)
    {
        lock (_gate)
        {
            _entries.Enqueue(entry);
        }
    }

    /// <summary>There is something to do.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            _filled.TrySetResult();
        }
    }

    public void Mark(Position position, long confirmedAt)
    {
        lock (_gate)
        {
            _mark = position;
            _confirmedAt = confirmedAt;
            _hasMark = true;
            _filled.TrySetResult();
        }
    }

    /// <summary>The pump is to read the log from here.</summary>
    public void RequestRead(Position from)
    {
        lock (_gate)
        {
            _readFrom = from;
            _hasReadRequest = true;
            _filled.TrySetResult();
        }
    }

    /// <summary>The leadership stood at this moment.</summary>
    public void Prove(long at)
    {
        lock (_gate)
        {
            _provenAt = at;
        }
    }

    /// <summary>Says that the primary is there, if nothing else is on its way.</summary>
    public void Beat()
    {
        lock (_gate)
        {
            _beat = true;
            _filled.TrySetResult();
        }
    }

    /// <summary>The pump is to end.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            _filled.TrySetResult();
        }
    }

    /// <summary>Completes when there is something to do.</summary>
    public Task WaitAsync()
    {
        lock (_gate)
        {
            return _filled.Task;
        }
    }

    /// <summary>The next message, or a wish to read the log, or the end.</summary>
    public OutboxItem Take(long now, long roundTripMicroseconds)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return new OutboxItem(OutboxItemKind.End);
            }

            if (_entries.Count > 0 || _hasMark || _beat)
            {
                _beat = false; // whatever is sent says as much
                return new OutboxItem(OutboxItemKind.Message, NextMessage(now, roundTripMicroseconds));
            }

            if (_hasReadRequest)
            {
                _hasReadRequest = false;
                return new OutboxItem(OutboxItemKind.ReadLog, From: _readFrom);
            }

            _filled = NewSignal();
            return new OutboxItem(OutboxItemKind.Empty);
        }
    }

    private SubscribeResponse NextMessage(long now, long roundTripMicroseconds)
    {
        var batch = new SubscribeResponse.Types.Batch { SentAt = now, RoundTripUs = roundTripMicroseconds, ProvenAt = _provenAt };
        _provenAt = 0;
        var bytes = 0;
        while (bytes < TargetMessageBytes && _entries.TryDequeue(out var entry))
        {
            batch.Entries.Add(UnsafeByteOperations.UnsafeWrap(entry.Encoded)); // an entry's bytes never change
            bytes += entry.Encoded.Length;
            _lastTaken = entry.End;
        }

        // A mark goes when what it names has gone: with the entry itself, or alone.
        if (_hasMark && (_entries.Count == 0 || _mark <= _lastTaken))
        {
            batch.Mark = new SubscribeResponse.Types.Mark { Position = _mark.ToMessage(), ConfirmedAt = _confirmedAt };
            _hasMark = false;
        }

        return new SubscribeResponse { Batch = batch };
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>What the pump does next.</summary>
internal readonly record struct OutboxItem(OutboxItemKind Kind, SubscribeResponse? Message = null, Position From = default);

/// <summary>Kinds of <see cref="OutboxItem"/>.</summary>
internal enum OutboxItemKind
{
    /// <summary>Nothing; wait.</summary>
    Empty,

    /// <summary>Write this message.</summary>
    Message,

    /// <summary>Read the log from a position.</summary>
    ReadLog,

    /// <summary>The subscription is over.</summary>
    End,
}
