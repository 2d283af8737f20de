using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica.Tests;

/// <summary>One leadership: the primary's three cores, carried out over a simulated quorum and simulated streams.</summary>
internal sealed class SimulatedLeader
{
    public const long WindowBytes = 1000;
    private const int ReadBytes = 300;

    private readonly Random _random;
    private readonly SimulatedTruth _truth;
    private readonly Fault _fault;
    private readonly QuorumCore _quorum;
    private readonly GateCore<object> _gate;
    private readonly ShippingCore _shipping;
    private readonly List<ShippingAction> _actions = [];
    private readonly Dictionary<int, SimulatedStream> _streams = [];
    private readonly Dictionary<object, Position> _held = [];
    private readonly List<Position>[] _acks = [[], [], []]; // on their way, by follower
    private Position? _fence; // followers ack nothing beyond it any more

    public SimulatedLeader(uint epoch, List<SimulatedEntry> log, EpochTable epochs, Random random, SimulatedTruth truth, Fault fault)
    {
        (Epoch, Log, _random, _truth, _fault) = (epoch, log, random, truth, fault);
        var start = End;
        _quorum = new QuorumCore(members: 3, quorum: 2, start);
        _gate = new GateCore<object>(start);
        _shipping = new ShippingCore(start, start, fault == Fault.WindowIsIgnored ? long.MaxValue : WindowBytes);
        Epochs = epochs.Add(epoch, start);
        Append(writes: 1, Epochs);
    }

    public uint Epoch { get; }

    public List<SimulatedEntry> Log { get; }

    public EpochTable Epochs { get; }

    public Position End => Log.Count == 0 ? Position.Start : Log[^1].End;

    public Position Confirmed => _quorum.Confirmed;

    /// <summary>The entry that opens the epoch is confirmed: it may ship and answer.</summary>
    public bool Leads => _quorum.Confirmed.Epoch == Epoch;

    public int Held => _held.Count;

    public bool IsQuiet => _acks.All(acks => acks.Count == 0);

    public void Append(int writes, EpochTable? epochs = null)
    {
        var end = new Position(Epoch, End.Sequence + (ulong)writes, new ChainHash((ulong)_random.NextInt64(), (ulong)_random.NextInt64()));
        var entry = new SimulatedEntry(end, End, End.Sequence + 1, _random.Next(10, _random.Next(8) == 0 ? 1500 : 150), epochs);
        Log.Add(entry);
        _quorum.Append(end);
        _shipping.Append(end, entry.Bytes, _actions);
        CarryOut(entry);
        if (_fence is null)
        {
            Array.ForEach(_acks, acks => acks.Add(end));
        }
    }

    /// <summary>A follower's ack arrives: for one entry, or for several at once.</summary>
    public void DeliverAck()
    {
        var follower = _random.Next(_acks.Length);
        var acks = _acks[follower];
        if (acks.Count == 0)
        {
            return;
        }

        var count = _random.Next(acks.Count) + 1;
        var position = acks[count - 1];
        acks.RemoveRange(0, count);
        if (_random.Next(8) == 0)
        {
            // What another leader's log holds at this place counts for nothing here.
            var foreign = position with { Hash = new ChainHash(1, (ulong)_random.NextInt64()) };
            Check.That(!_quorum.Ack(follower, foreign), $"an ack for {foreign}, which is not in the log, confirmed something");
        }

        if (!_quorum.Ack(follower, position))
        {
            return;
        }

        _truth.Confirm(Log, _quorum.Confirmed);
        var passing = new List<object>();
        _gate.Confirm(_quorum.Confirmed, passing);
        foreach (var token in passing)
        {
            Check.That(_held.Remove(token, out var computedAt), $"the gate let something pass twice");
            Check.That(_truth.Holds(computedAt), $"the gate let pass what was computed at {computedAt}, which is not confirmed");
        }

        _shipping.Confirm(_quorum.Confirmed, _actions);
        CarryOut(null);
    }

    /// <summary>Something is computed from the newest state, and wants to leave.</summary>
    public void Answer()
    {
        if (!Leads)
        {
            return; // it answers nobody before its epoch's entry is confirmed
        }

        var computedAt = Log[^_random.Next(1, Math.Min(4, Log.Count + 1))].End;
        var token = new object();
        var answer = _fault == Fault.GateIsOpen ? GateAnswer.Pass : _gate.Hold(computedAt, token);
        if (answer == GateAnswer.Pass)
        {
            Check.That(_truth.Holds(computedAt), $"the gate let pass what was computed at {computedAt}, which is not confirmed");
        }
        else if (answer == GateAnswer.Held)
        {
            _held.Add(token, computedAt);
        }
    }

    /// <summary>A quorum promised a later epoch, whose leader adopts this much: no ack beyond it will ever come.</summary>
    public void Fence(Position adopted)
    {
        _fence = adopted;
        foreach (var acks in _acks)
        {
            acks.RemoveAll(ack => ack > adopted);
        }
    }

    /// <summary>The leader notices that it is none any more.</summary>
    public void Close()
    {
        var failing = new List<object>();
        _gate.Close(failing);
        failing.ForEach(token => Check.That(_held.Remove(token), $"the gate failed something twice"));
        Check.That(_held.Count == 0, $"the gate forgot {_held.Count} answers");
        Check.That(_gate.Hold(End with { Sequence = End.Sequence + 1 }, new object()) == GateAnswer.Lost, $"a closed gate held an answer");
    }

    public void Subscribe(SimulatedStream stream, Position from)
    {
        stream.Send(new SimulatedMessage { Welcome = Epochs });
        if (from != Position.Start && !Log.Exists(entry => entry.End == from))
        {
            from = Confirmed;
            stream.Send(new SimulatedMessage { Snapshot = Log.TakeWhile(entry => entry.End <= from).ToList() });
        }

        stream.SentUpTo = from;
        var actions = new List<ShippingAction>();
        stream.Id = _shipping.Add(from, actions);
        _streams.Add(stream.Id, stream);
        _actions.AddRange(actions);
        CarryOut(null);
    }

    public void Unsubscribe(SimulatedStream stream)
    {
        _shipping.Remove(stream.Id);
        _streams.Remove(stream.Id);
    }

    public void Report(SimulatedStream stream, long receivedBytes)
    {
        stream.ReportedBytes = Math.Max(stream.ReportedBytes, receivedBytes);
        _shipping.Report(stream.Id, receivedBytes, _actions);
        CarryOut(null);
    }

    /// <summary>The shell's pump: reads on for a subscriber, and later says that it has sent what it read.</summary>
    public void Pump(SimulatedStream stream)
    {
        if (stream.Shipped is { } shipped)
        {
            stream.Shipped = null;
            _shipping.LogRead(stream.Id, shipped.Last, shipped.Bytes, _actions);
            CarryOut(null);
        }
        else if (stream.ReadFrom is { } from)
        {
            stream.ReadFrom = null;
            long bytes = 0;
            var last = from;
            foreach (var entry in Log.Where(entry => entry.End > from))
            {
                if (bytes >= ReadBytes)
                {
                    break;
                }

                stream.Send(new SimulatedMessage { Entry = entry });
                bytes += entry.Bytes;
                last = entry.End;
            }

            stream.Shipped = (last, bytes);
        }
    }

    private void CarryOut(SimulatedEntry? appended)
    {
        foreach (var action in _actions)
        {
            var stream = _streams[action.Subscriber];
            switch (action.Kind)
            {
                case ShippingActionKind.SendEntry:
                    var inFlight = stream.SentBytes - stream.ReportedBytes;
                    Check.That(inFlight <= 0 || inFlight + appended!.Bytes <= WindowBytes, $"{inFlight} + {appended!.Bytes} bytes are in a window of {WindowBytes}");
                    Check.That(appended.Predecessor == stream.SentUpTo, $"{appended.End} was pushed behind {stream.SentUpTo}");
                    stream.Send(new SimulatedMessage { Entry = appended });
                    break;
                case ShippingActionKind.SendMark:
                    var mark = _fault == Fault.MarkIsAheadOfEntries && !stream.HasAll(Confirmed) ? Confirmed : action.Position;
                    Check.That(stream.HasAll(mark), $"a mark names {mark}, and only {stream.SentUpTo} was sent");
                    Check.That(_truth.Holds(mark), $"a mark names {mark}, which is not confirmed");
                    stream.Send(new SimulatedMessage { Mark = mark });
                    break;
                case ShippingActionKind.ReadLog:
                    Check.That(stream.ReadFrom is null && stream.Shipped is null, $"two reads at once for one subscriber");
                    Check.That(stream.SentBytes - stream.ReportedBytes <= WindowBytes, $"a read was asked for with {stream.SentBytes - stream.ReportedBytes} bytes in flight");
                    Check.That(action.Position == stream.SentUpTo, $"the log is read from {action.Position}, but {stream.SentUpTo} was sent");
                    stream.ReadFrom = _fault == Fault.SlowSubscriberIsLeftBehind && stream.SentBytes > 0 ? null : action.Position;
                    break;
            }
        }

        _actions.Clear();
    }
}
