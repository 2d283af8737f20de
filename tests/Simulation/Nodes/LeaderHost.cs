using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>The shell of one leadership: drives LeaderCore over simulated streams, and carries out what it says.</summary>
internal sealed partial class LeaderHost
{
    private readonly Cluster _cluster;
    private readonly SimulatedNode _node;
    private readonly SimulatedProcess _process;
    private readonly LeaderStart _start;
    private readonly List<LeaderAction> _actions = [];
    private readonly Dictionary<Guid, LeaderLink> _links = [];
    private readonly HashSet<Guid> _wanted = [];
    private readonly List<Entry> _log = []; // of this leadership's log, from the own log's first position on
    private int _recorded; // entries of it that the observer has as confirmed
    private long? _wakeSet;
    private bool _carrying;

    public LeaderHost(Cluster cluster, SimulatedNode node, LeaderStart start)
    {
        (_cluster, _node, _process, _start) = (cluster, node, node.Process, start);
        Core = new LeaderCore(
            start,
            node.Follower!.Log,
            LeaderTimes.Default with { ReadLease = cluster.Plan.ReadLease },
            new LeaderLimits { PartBytes = cluster.Plan.PartBytes, WindowBytes = cluster.Plan.WindowBytes, WindowEntries = 64, ReadBytes = 4 << 10 },
            cluster.Plant.Rules);
    }

    public LeaderCore Core { get; }

    public SimulatedNode Node => _node;

    public Promise Promise => _start.Promise;

    public bool IsClosed { get; private set; }

    public bool Leads => !IsClosed && Core.Phase == LeaderPhase.Leading;

    public World World => _cluster.World;

    public void Begin()
    {
        World.Log?.Invoke($"{World.Now} node {_node.Index}: leadership {Promise} begins{(_start.Resumed is null ? "" : " again")}");
        if (_start.Resumed is { } resumed && !TryResume(resumed))
        {
            Close("the own log is not what was left");
            return;
        }

        Do(now => Core.Start(now, _actions));
    }

    /// <summary>Runs one event through the core and carries out what it says.</summary>
    public void Do(Action<long> step)
    {
        if (IsClosed)
        {
            return;
        }

        step(_node.Clock.Now);
        if (World.Log is not null)
        {
            _actions.ForEach(action => World.Log($"{World.Now} node {_node.Index}: {action.Kind} {(action.Member == Guid.Empty ? "" : _cluster.HomeOf(action.Member).Index)} {action.Message}"));
        }

        CarryOut();
        if (!IsClosed)
        {
            Wake();
        }
    }

    public void Accepted(LeaderLink link)
    {
        World.Log?.Invoke($"{World.Now} node {_node.Index}: link {link.Id} to {_cluster.HomeOf(link.Member).Index} accepted");
        if (_links.GetValueOrDefault(link.Member) == link)
        {
            Do(now => Core.Connected(link.Member, now, _actions));
        }
    }

    public void Receive(LeaderLink link, FollowerMessage message)
    {
        if (_links.GetValueOrDefault(link.Member) != link)
        {
            return;
        }

        World.Log?.Invoke($"{World.Now} node {_node.Index}: {_cluster.HomeOf(link.Member).Index} answers {message}");
        Do(now => Core.Receive(link.Member, message, now, _actions));
        if (message is NotMember)
        {
            Ended(link); // the journal is another one now, or stopped; ask again later
            link.CloseByLeader(released: false);
        }
    }

    /// <summary>A stream is gone; another one is opened after a while.</summary>
    public void Ended(LeaderLink link)
    {
        World.Log?.Invoke($"{World.Now} node {_node.Index}: link {link.Id} to {_cluster.HomeOf(link.Member).Index} ended");
        if (_links.GetValueOrDefault(link.Member) == link)
        {
            _links.Remove(link.Member);
            Do(now => Core.Disconnected(link.Member, now, _actions));
            _process.After(World.Between(10_000, 150_000), () => Connect(link.Member));
        }
    }

    /// <summary>The leadership ends here, for whatever reason.</summary>
    public void Close(string reason, bool released = false)
    {
        if (IsClosed)
        {
            return;
        }

        IsClosed = true;
        World.Log?.Invoke($"{World.Now} node {_node.Index}: leadership {Promise} ends: {reason}");
        CloseClients();
        foreach (var link in _links.Values)
        {
            link.CloseByLeader(released);
        }

        _links.Clear();
        _node.Ended(this);
    }

    private void Connect(Guid member)
    {
        if (!IsClosed && _wanted.Contains(member) && !_links.ContainsKey(member))
        {
            _links.Add(member, new LeaderLink(_cluster, this, _node, _cluster.HomeOf(member), member, Promise));
        }
    }

    private void CarryOut()
    {
        if (_carrying)
        {
            return; // an action led to another event; the loop below comes to what it said
        }

        _carrying = true;
        for (var i = 0; i < _actions.Count && !IsClosed; i++)
        {
            CarryOut(_actions[i]);
        }

        _actions.Clear();
        _carrying = false;
    }

    private void CarryOut(in LeaderAction action)
    {
        switch (action.Kind)
        {
            case LeaderActionKind.Connect:
                _wanted.Add(action.Member);
                Connect(action.Member);
                break;
            case LeaderActionKind.Reconnect when _links.TryGetValue(action.Member, out var stuck):
                stuck.CloseByLeader(released: false);
                Ended(stuck);
                break;
            case LeaderActionKind.Release:
                _wanted.Remove(action.Member);
                if (_links.Remove(action.Member, out var released))
                {
                    released.CloseByLeader(released: true);
                }

                break;
            case LeaderActionKind.Send:
                _links.GetValueOrDefault(action.Member)?.Send(action.Message!);
                break;
            case LeaderActionKind.Fetch:
                Fetch(action.Member, action.Position, action.To);
                break;
            case LeaderActionKind.FetchBase:
                FetchBase(action.Member, action.Position);
                break;
            case LeaderActionKind.ReadLog:
                var (member, after, bytes) = (action.Member, action.Position, action.Number);
                _process.After(World.Between(10, 500), () => ReadLog(member, after, bytes));
                break;
            case LeaderActionKind.Adopt:
                Open(action.Position, action.Sets!);
                break;
            case LeaderActionKind.Confirmed:
                Confirm(action.Position);
                break;
            case LeaderActionKind.Proof:
                Proved(action.Number, action.Ok);
                break;
            case LeaderActionKind.HandedOver:
                HandedOver(action.Promises!);
                break;
            case LeaderActionKind.Lost:
                _node.GreatestEpoch = Math.Max(_node.GreatestEpoch, action.Loss!.Higher?.Epoch ?? 0);
                if (action.Loss.Reason is LossReason.NotFollower or LossReason.OwnJournal)
                {
                    _node.Watchdog?.Failed();
                }

                Close(action.Loss.Text);
                break;
            case LeaderActionKind.Diverged:
                _cluster.History.Contradictions.Add(new($"leader {_node.Index}", action.Reason!, World.Now));
                break;
        }
    }

    private void Fetch(Guid holder, Position from, Position to)
    {
        var home = _cluster.HomeOf(holder);
        var isOver = false;
        _cluster.Network.Post(_node.Index, home.Index, home.Process, () =>
        {
            var entries = home.Disk.Journal == holder ? home.Follower?.Read(Promise, from, to) : null;
            _cluster.Network.Post(home.Index, _node.Index, _process, () => End(entries));
        });
        _process.After(500_000, () => End(null));

        void End(IReadOnlyList<Entry>? entries)
        {
            if (isOver)
            {
                return;
            }

            isOver = true;
            if (entries is null or [])
            {
                Do(now => Core.FetchFailed(holder, now, _actions));
            }
            else
            {
                Do(now => Core.Fetched(holder, from, [.. entries], now, _actions));
            }
        }
    }

    // Any base at or above the one that is asked for will do, if it is of this log.
    private void FetchBase(Guid holder, Position first) => _process.After(World.Between(5_000, 50_000), () =>
    {
        if (IsClosed)
        {
            return;
        }

        _node.EndReplica(); // a file is replaced with nobody on it
        _node.File.Install(_cluster.Bases[first]);
        Do(now => Core.BaseFetched(holder, first, _cluster.Bases[first].Sets, now, _actions));
    });

    private void ReadLog(Guid member, Position after, long bytes)
    {
        var index = IndexAfter(after);
        var isTrimmed = !Holds(after) || after < _node.Follower!.Log.First;
        var entries = new List<Entry>();
        for (; !isTrimmed && index < _log.Count && bytes > 0; index++)
        {
            entries.Add(_log[index]);
            bytes -= _log[index].Encoded.Length;
        }

        World.Log?.Invoke($"{World.Now} node {_node.Index}: read {entries.Count} entries behind {after} of {_log.Count} for {_cluster.HomeOf(member).Index}{(isTrimmed ? ": trimmed" : "")}");
        Do(now => Core.LogRead(member, after, [.. entries], isTrimmed, now, _actions));
    }

    private void Wake()
    {
        if (Core.WakeAt is { } at && !(_wakeSet <= at))
        {
            _wakeSet = at;
            _process.After(_node.Clock.Until(at), () =>
            {
                _wakeSet = _wakeSet == at ? null : _wakeSet;
                Do(now => Core.Pass(now, _actions));
            });
        }
    }
}
