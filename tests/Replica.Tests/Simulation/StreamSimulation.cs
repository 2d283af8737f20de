using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica.Tests;

/// <summary>Leaders and replicas in one thread, every step chosen by one seed.</summary>
internal sealed class StreamSimulation
{
    private readonly Random _random;
    private readonly Fault _fault;
    private readonly SimulatedTruth _truth = new();
    private readonly List<SimulatedLeader> _leaders = [];
    private readonly SimulatedReplica[] _replicas;
    private readonly List<SimulatedStream>[] _streams; // by replica: the newest last, what others still deliver before it
    private readonly int _slothPercent; // how often a message stays on its way a little longer
    private long _now;
    private bool _isUnruly = true; // until everything works again

    public StreamSimulation(int seed, Fault fault = Fault.None)
    {
        _random = new Random(seed);
        _fault = fault;
        _slothPercent = _random.Next(80);
        var database = new DatabaseId(new Guid(seed, 0, 0, new byte[8]));
        _replicas = [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => new SimulatedReplica(_random, _truth, fault, database, keepsHidden: _random.Next(2) == 0))];
        _streams = [.. _replicas.Select(_ => new List<SimulatedStream>())];
        _leaders.Add(new SimulatedLeader(1, [], EpochTable.Empty, _random, _truth, fault));
    }

    private SimulatedLeader Leader => _leaders[^1];

    public void Run(int steps)
    {
        for (; _now < steps; _now++)
        {
            Step();
        }

        Heal();
    }

    private void Step()
    {
        var replica = _random.Next(_replicas.Length);
        switch (_random.Next(100))
        {
            case < 18:
                AnyLeader().Append(_random.Next(1, 4));
                break;
            case < 36:
                AnyLeader().DeliverAck();
                break;
            case < 66:
                if (_random.Next(100) >= _slothPercent)
                {
                    Deliver(replica);
                }

                break;
            case < 76:
                Pump(replica);
                break;
            case < 80:
                Report(replica);
                break;
            case < 84:
                Connect(replica, _random.Next(4) == 0 ? AnyLeader() : Leader);
                break;
            case < 85:
                Disconnect(replica);
                break;
            case < 86:
                _replicas[replica].Checkpoint(isComplete: _random.Next(2) == 0);
                break;
            case < 87 when _random.Next(4) == 0:
                _streams[replica].Clear();
                _replicas[replica].Restart();
                break;
            case < 88 when _random.Next(3) == 0:
                TakeOver();
                break;
            case < 90:
                AnyLeader().Answer();
                break;
            case < 91:
                _replicas[replica].GiveUp();
                break;
            case < 96:
                Wait(replica);
                break;
            default:
                _replicas[replica].Read();
                _replicas[replica].Pass(_now);
                break;
        }
    }

    // The newest mostly; now and then an old one that has not noticed.
    private SimulatedLeader AnyLeader() => _random.Next(6) == 0 ? _leaders[_random.Next(_leaders.Count)] : Leader;

    private void TakeOver()
    {
        // Whatever can still be confirmed lies in the part that is adopted: acks beyond it are refused from here on.
        var old = Leader;
        var confirmed = _truth.PlaceOf(_truth.End);
        var adopted = old.Log.Take(_random.Next(confirmed, old.Log.Count + 1)).ToList();
        var end = adopted.Count == 0 ? Position.Start : adopted[^1].End;
        _leaders.ForEach(leader => leader.Fence(end));
        var epochs = adopted.FindLast(entry => entry.Epochs is not null)?.Epochs ?? EpochTable.Empty;
        var next = new SimulatedLeader(old.Epoch + (uint)_random.Next(1, 3), adopted, epochs, _random, _truth, _fault);
        _leaders.Add(next);
        if (_leaders.Count > 4)
        {
            var gone = _leaders[0];
            gone.Close();
            Array.ForEach(_streams, streams => streams.RemoveAll(stream => stream.Leader == gone));
            _leaders.RemoveAt(0);
        }
    }

    private void Connect(int replica, SimulatedLeader leader)
    {
        var streams = _streams[replica];
        if (!leader.Leads || (streams.Count > 0 && !streams[^1].IsCut && streams[^1].Leader == leader && _random.Next(10) != 0))
        {
            return;
        }

        Disconnect(replica);
        var stream = new SimulatedStream(leader);
        leader.Subscribe(stream, _replicas[replica].Visible);
        streams.Add(stream);
        if (streams.Count > 3)
        {
            streams.RemoveAt(0);
        }
    }

    private void Disconnect(int replica)
    {
        if (_streams[replica] is [.., { IsCut: false } stream])
        {
            // The other side may not notice for long; what it sends meanwhile may still come.
            stream.IsCut = true;
            if (stream.Leader == Leader || _random.Next(2) == 0)
            {
                stream.Leader.Unsubscribe(stream);
            }
        }
    }

    private bool Deliver(int replica)
    {
        var streams = _streams[replica];
        if (streams.Count == 0)
        {
            return false;
        }

        // Late messages come only from leaders that are over: a stream that was cut by its own end is gone with its connection.
        var stream = _random.Next(4) == 0 ? streams[_random.Next(streams.Count)] : streams[^1];
        if (stream.IsCut && (stream.Leader == streams[^1].Leader || !stream.IsWelcome))
        {
            return false;
        }

        if (stream.Next(markFirst: _isUnruly && _random.Next(20) == 0) is not { } message)
        {
            return false;
        }

        if (stream.IsCut && (message.Snapshot is not null || message.Welcome is not null))
        {
            return false;
        }

        if (!_replicas[replica].Take(stream, message) && stream == streams[^1])
        {
            Disconnect(replica);
            streams.Remove(stream);
        }

        return true;
    }

    private void Pump(int replica)
    {
        if (_streams[replica] is [.., { IsCut: false } stream])
        {
            stream.Leader.Pump(stream);
        }
    }

    private void Report(int replica)
    {
        if (_streams[replica] is [.., { IsCut: false } stream])
        {
            stream.Leader.Report(stream, stream.ReceivedBytes);
        }
    }

    private void Wait(int replica)
    {
        var log = AnyLeader().Log;
        var entry = log[^_random.Next(1, Math.Min(log.Count, 6) + 1)];
        var target = _random.Next(10) == 0 ? Bookmark.Start : _replicas[replica].BookmarkOf(entry);
        _replicas[replica].Wait(target, _now, _random.Next(2) == 0 ? long.MaxValue : _now + _random.Next(1, 400));
    }

    // Everything works again: every replica has to get everything, and every waiter an answer.
    private void Heal()
    {
        _isUnruly = false;
        for (var i = 0; !Leader.Leads || Leader.Confirmed != Leader.End; i++)
        {
            Check.That(i < 100_000, $"the leader of epoch {Leader.Epoch} cannot confirm its log");
            Leader.DeliverAck();
        }

        Check.That(Leader.Held == 0, $"{Leader.Held} answers are held though everything is confirmed");
        for (var replica = 0; replica < _replicas.Length; replica++)
        {
            Array.ForEach(_streams, streams => streams.RemoveAll(stream => stream.IsCut || stream.Leader != Leader));
            var copy = _replicas[replica];
            for (var i = 0; copy.Visible != Leader.End || !copy.IsReady || Pending(replica) > 0; i++)
            {
                Check.That(i < 100_000, $"replica {replica} stays at {copy.Visible}; the log ends at {Leader.End}");
                if (_streams[replica].Count == 0)
                {
                    Connect(replica, Leader);
                }

                Deliver(replica);
                Pump(replica);
                Report(replica);
            }

            copy.Read();
            copy.Pass(_now += 1000);
            foreach (var waiter in copy.WhoWaits)
            {
                Check.That(waiter.Target.Epoch >= Leader.Epoch && !_truth.Holds(waiter.Target), $"{waiter.Target} is still waited for at {copy.Visible}");
            }
        }
    }

    private int Pending(int replica) => _streams[replica].Sum(stream => stream.Waiting);
}
