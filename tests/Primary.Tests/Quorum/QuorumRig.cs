using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>Nodes with real followers, and leaders on them; messages, disks and the clock move when the test says so.</summary>
internal sealed class QuorumRig
{
    private readonly List<(bool ToFollower, LeaderRig? Leader, Guid Member, int Stream, object Message)> _network = [];
    private readonly Queue<Action> _later = new();
    private readonly Dictionary<Position, EpochTable> _epochs = new() { [Position.Start] = EpochTable.Empty };
    private readonly Dictionary<ulong, (Position Position, uint By)> _confirmed = [];
    private readonly Dictionary<int, Guid> _memberOf = [];
    private readonly List<LeaderRig> _leaders = [];
    private int _lastStream;
    private long _commitTime = 1_700_000_000_000_000;

    public QuorumRig(int nodes) => Nodes = [.. Enumerable.Range(1, nodes).Select(number => new FollowerRig(this, number))];

    public DatabaseId Database { get; } = new(new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));

    public long Now { get; set; } = 1_000_000_000;

    public IReadOnlyList<FollowerRig> Nodes { get; }

    public IReadOnlyList<LeaderRig> Leaders => _leaders;

    public List<string> Divergences { get; } = [];

    /// <summary>What is not delivered, and lost.</summary>
    public Func<object, bool>? Loses { get; set; }

    /// <summary>Whether a leader can open a stream to a follower.</summary>
    public Func<LeaderRig, FollowerRig, bool> CanReach { get; set; } = (_, _) => true;

    /// <summary>All that was sent, in order.</summary>
    public List<(Guid Member, object Message)> Sent { get; } = [];

    public FollowerSet Set(params int[] numbers) => FollowerSet.Majority(numbers.Select(FollowerRig.JournalOf));

    public FollowerRig? Find(Guid journal) => Nodes.FirstOrDefault(node => node.Journal == journal);

    public int NextStream() => ++_lastStream;

    public void Later(Action action) => _later.Enqueue(action);

    /// <summary>A leadership begins, and goes as far as it gets without time.</summary>
    public LeaderRig Lead(
        int node, uint epoch, FollowerSet hint, FollowerSet? changeTo = null, bool run = true, LeaderTimes? times = null, LeaderLimits? limits = null,
        LeaderRules? rules = null, Func<LeaderStart, LeaderStart>? with = null)
    {
        var own = Nodes[node - 1];
        var start = new LeaderStart(Database, new(epoch, (ulong)(1_000 + _leaders.Count)), own.Journal, hint, own.Core.Sets, changeTo) { OlderSets = [.. own.Core.AllSets] };
        var leader = new LeaderRig(this, own, with?.Invoke(start) ?? start, times ?? LeaderTimes.Default, limits ?? LeaderLimits.Default, rules);
        _leaders.Add(leader);
        leader.Start();
        if (run)
        {
            Run();
        }

        return leader;
    }

    /// <summary>Epoch 1 is confirmed everywhere, and node 1 alone has nine entries more.</summary>
    public FollowerRig HalfWritten()
    {
        var first = Lead(1, epoch: 1, Set(1, 2, 3, 4, 5));
        foreach (var node in Nodes.Skip(1))
        {
            first.Disconnect(node);
        }

        CanReach = (leader, node) => leader != first || node.Number == 1;
        for (var i = 0; i < 9; i++)
        {
            first.Append();
        }

        Run();
        first.Kill();
        Assert.Equal(10UL, Nodes[0].Log.Last.Sequence);
        Assert.Equal(1UL, first.Core.Confirmed.Sequence);
        return Nodes[0];
    }

    public void Send(Guid member, int stream, LeaderMessage message)
    {
        Sent.Add((member, message));
        _memberOf[stream] = member;
        _network.Add((true, null, member, stream, message));
    }

    public void SendClose(Guid member, int stream) => _network.Add((true, null, member, stream, "close"));

    public void Send(LeaderRig leader, int stream, FollowerMessage message) => _network.Add((false, leader, default, stream, message));

    /// <summary>Delivers, writes and connects until nothing moves any more. Time stands still.</summary>
    public void Run(int most = 1_000_000)
    {
        while (most-- > 0 && (Step(0) || Write() || _leaders.Exists(leader => leader.Connect())))
        {
        }

        Assert.True(most > 0, "It never comes to rest.");
    }

    /// <summary>Lets time pass.</summary>
    public void Advance(long microseconds)
    {
        var until = Now + microseconds;
        Run();
        for (var wakes = 0; Next() is { } at && at <= until; wakes++)
        {
            Assert.True(wakes < 100_000, "It wakes for ever.");
            Now = Math.Max(Now, at);
            Wake();
            Run();
        }

        Now = until;
    }

    /// <summary>Delivers one message, keeping the order of each stream and direction unless it is told otherwise, or lets one thing happen that was put off.</summary>
    public bool Step(int choice, bool reorders = false, bool repeats = false)
    {
        if (_later.TryDequeue(out var later))
        {
            later();
            return true;
        }

        for (var i = 0; i < _network.Count; i++)
        {
            var at = (i + choice) % _network.Count;
            at = reorders ? at : _network.FindIndex(message => message.Stream == _network[at].Stream && message.ToFollower == _network[at].ToFollower);
            var message = _network[at];
            if (message.Leader?.IsPaused == true)
            {
                continue;
            }

            if (!repeats)
            {
                _network.RemoveAt(at);
            }

            Deliver(message);
            return true;
        }

        return false;
    }

    public bool Write(int choice = 0) => Enumerable.Range(0, Nodes.Count).Any(i => Nodes[(i + choice) % Nodes.Count].Flush());

    public long? Next() => _leaders.Select(leader => leader.WakeAt).Concat(Nodes.Select(node => node.WakeAt)).Min();

    public void Wake()
    {
        foreach (var leader in _leaders.Where(leader => leader.WakeAt <= Now).ToList())
        {
            leader.Pass();
            Assert.False(leader.WakeAt <= Now, $"It wants to be woken at {leader.WakeAt} again, which is now or before ({Now}).");
        }

        foreach (var node in Nodes.Where(node => node.WakeAt <= Now).ToList())
        {
            node.Pass();
        }
    }

    public Entry Build(Position predecessor, uint epoch, int writes)
    {
        var builder = new EntryBuilder(Header(predecessor, epoch, writes), 1);
        builder.AddPage(1).Fill((byte)_commitTime);
        return Keep(builder.Build(), _epochs[predecessor]);
    }

    public Entry BuildEpoch(Position predecessor, uint epoch, FollowerSets sets)
    {
        var entry = EpochEntry.Create(Header(predecessor, epoch, 1) with { Flags = EntryFlags.EpochEntry }, _epochs[predecessor], sets.Encode());
        return Keep(entry, entry.EpochTable!);
    }

    /// <summary>What is confirmed once is confirmed for ever, and only one entry at each sequence.</summary>
    public void Confirm(LeaderRig leader, Position position)
    {
        foreach (var older in _confirmed.Values)
        {
            Assert.True(older.Position.Sequence != position.Sequence || older.Position == position, $"{older.Position} and {position} are both confirmed.");
        }

        _confirmed.TryAdd(position.Sequence, (position, leader.Promise.Epoch));
    }

    /// <summary>Every confirmed position is in the log of this node.</summary>
    public void CheckHolds(FollowerRig node)
    {
        foreach (var (position, _) in _confirmed.Values)
        {
            Assert.True(position <= node.Log.First || node.Log.Holds(position), $"{position} is confirmed and not on node {node.Number}, whose log ends at {node.Log.Last}.");
        }
    }

    private Entry Keep(Entry entry, EpochTable table)
    {
        _epochs[entry.End] = table;
        return entry;
    }

    private EntryHeader Header(Position predecessor, uint epoch, int writes) => new()
    {
        Database = Database,
        Epoch = epoch,
        FirstSequence = predecessor.Sequence + 1,
        LastSequence = predecessor.Sequence + (ulong)writes,
        Predecessor = predecessor,
        PageSizeBytes = 512,
        DatabaseSizePages = 10,
        CommitTimeMicroseconds = ++_commitTime,
    };

    private void Deliver((bool ToFollower, LeaderRig? Leader, Guid Member, int Stream, object Message) sent)
    {
        if (Loses?.Invoke(sent.Message) == true)
        {
            return;
        }

        if (!sent.ToFollower)
        {
            sent.Leader!.Receive(sent.Stream, (FollowerMessage)sent.Message);
        }
        else if (Find(sent.Member) is { IsCut: false } follower)
        {
            if (sent.Message is LeaderMessage message)
            {
                follower.Receive(sent.Stream, message);
            }
            else
            {
                follower.Close(sent.Stream);
            }
        }
    }
}
