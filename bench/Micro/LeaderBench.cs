using System.Collections.Immutable;
using BenchmarkDotNet.Attributes;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Bench.Micro;

/// <summary>What does the leader's core add to an entry: sending it to every follower, counting the acks of a quorum, confirming, and sending the marks?</summary>
[MemoryDiagnoser]
public class LeaderBench
{
    private const int Entries = 1024;
    private static readonly Promise Leader = new(1, 1);
    private readonly List<LeaderAction> _actions = new(64);
    private Guid[] _members = [];
    private Entry[] _log = [];
    private Acked[] _acks = [];
    private LeaderCore _core = null!;

    /// <summary>Followers, the leader's own among them.</summary>
    [Params(1, 3, 5)]
    public int Followers { get; set; }

    [GlobalSetup]
    public void Build()
    {
        _members = [.. Enumerable.Range(1, Followers).Select(number => new Guid(number, 0, 0, new byte[8]))];
        var database = new DatabaseId(new Guid(9, 9, 9, new byte[8]));
        var header = new EntryHeader
        {
            Database = database, Epoch = 1, FirstSequence = 1, LastSequence = 1, Predecessor = Position.Start, PageSizeBytes = 4096,
            DatabaseSizePages = 1, CommitTimeMicroseconds = 1, Flags = EntryFlags.EpochEntry,
        };
        var entry = EpochEntry.Create(header, EpochTable.Empty, new FollowerSets(null, FollowerSet.Majority(_members)).Encode());
        _log = new Entry[Entries + 1];
        _log[0] = entry;
        for (var i = 1; i <= Entries; i++)
        {
            var previous = _log[i - 1].End;
            var builder = new EntryBuilder(header with { Flags = EntryFlags.None, FirstSequence = previous.Sequence + 1, LastSequence = previous.Sequence + 1, Predecessor = previous }, 1);
            builder.AddPage(1).Fill(1);
            _log[i] = builder.Build();
        }

        _acks = [.. _log.Select(each => new Acked(Leader, each.End))];
    }

    // A fresh leader each time, as its log only goes forward; a few microseconds among a thousand entries.
    private void Lead()
    {
        _core = new(new(new DatabaseId(new Guid(9, 9, 9, new byte[8])), Leader, _members[0], FollowerSet.Majority(_members), null), new NoLog(), LeaderTimes.Default);
        _core.Start(0, _actions);
        foreach (var member in _members)
        {
            _core.Connected(member, 0, _actions);
            _core.Receive(member, new Promised(Leader, Position.Start, Position.Start, Position.Start, null), 0, _actions);
        }

        _core.Receive(_members[0], new Acked(Leader, Position.Start), 0, _actions);
        _core.Append(_log[0], 0, _actions);
        foreach (var member in _members)
        {
            _core.Receive(member, _acks[0], 0, _actions);
        }

        if (_core.Phase != LeaderPhase.Leading)
        {
            throw new InvalidOperationException($"It should lead, and is {_core.Phase}.");
        }

        _actions.Clear();
    }

    /// <summary>Each entry is confirmed before the next comes: an append, an ack of every follower, and all that follows from them.</summary>
    [Benchmark(OperationsPerInvoke = Entries)]
    public Position AppendAndAcks()
    {
        Lead();
        for (var i = 1; i <= Entries; i++)
        {
            _core.Append(_log[i], i, _actions);
            foreach (var member in _members)
            {
                _core.Receive(member, _acks[i], i, _actions);
            }

            _actions.Clear();
        }

        return _core.Confirmed;
    }

    /// <summary>1,024 are on their way at once; one ack of each follower covers them.</summary>
    [Benchmark(OperationsPerInvoke = Entries)]
    public Position Pipelined()
    {
        Lead();
        for (var i = 1; i <= Entries; i++)
        {
            _core.Append(_log[i], i, _actions);
            _actions.Clear();
        }

        foreach (var member in _members)
        {
            _core.Receive(member, _acks[Entries], Entries, _actions);
        }

        _actions.Clear();
        return _core.Confirmed;
    }

    private sealed class NoLog : ILogView
    {
        public Position First => Position.Start;

        public Position Last => Position.Start;

        public bool Holds(Position position) => position == Position.Start;

        public Position FloorOf(uint epoch, ulong sequence) => Position.Start;
    }
}
