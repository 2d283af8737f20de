using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>The shell of a follower in one life of a process: drives FollowerCore over a simulated journal and simulated streams.</summary>
internal sealed class FollowerHost
{
    private readonly Cluster _cluster;
    private readonly SimulatedNode _node;
    private readonly SimulatedProcess _process;
    private readonly List<FollowerAction> _actions = [];
    private readonly Dictionary<int, LeaderLink> _links = [];
    private SimulatedJournal _journal;
    private long? _wakeSet;

    public FollowerHost(Cluster cluster, SimulatedNode node)
    {
        (_cluster, _node, _process) = (cluster, node, node.Process);
        (_journal, Core) = Open();
    }

    public FollowerCore Core { get; private set; }

    public SimulatedNode Node => _node;

    public LogState Log => _journal.View;

    /// <summary>The journal is open: between its failure and its reopening nothing here is to be relied on.</summary>
    public bool IsOpen { get; private set; } = true;

    public void Accept(LeaderLink link)
    {
        if (!Core.IsMember(link.Member))
        {
            link.Answer(new NotMember(link.Promise, "another journal"));
            return;
        }

        _links.Add(link.Id, link);
        Core.Opened(link.Id, link.Promise.Activation, _node.Clock.Now);
        link.Answer(LeaderLink.Accepted);
    }

    public void Receive(LeaderLink link, LeaderMessage message)
    {
        if (_links.ContainsKey(link.Id))
        {
            foreach (var heard in _cluster.Plant.ToFollower(this, link, message))
            {
                Core.Receive(link.Id, heard, _node.Clock.Now, _actions);
                CarryOut();
            }
        }
    }

    public void Close(LeaderLink link, bool released)
    {
        if (_links.Remove(link.Id))
        {
            Core.Closed(link.Id, released, _node.Clock.Now);
            CarryOut();
        }
    }

    public bool HasLost(ulong activation) => Core.HasLost(activation, _node.Clock.Now);

    /// <summary>Entries behind a position for a leader that fetches; nothing when it may not read, or they are gone.</summary>
    public IReadOnlyList<Entry>? Read(Promise by, Position from, Position to)
    {
        const long batch = 8 << 10;
        return Core.MayRead(by) && Log.Holds(from) ? Log.Read(from, batch, to) : null;
    }

    private (SimulatedJournal Journal, FollowerCore Core) Open()
    {
        var journal = new SimulatedJournal(_cluster.World, _node.Disk, _process, _cluster.Plant, Written, Failed);
        var state = new FollowerState(journal.View.Last, journal.View.First, journal.View.Note);
        var core = _cluster.Plant.MakeFollower(_node.Disk.Journal, state, journal.View, FollowerTimes.Default, _node.Clock.Now);
        return (journal, core);
    }

    private void Written(long ticket)
    {
        Core.Written(ticket, _node.Clock.Now, _actions);
        CarryOut();
    }

    // The journal failed: everything that hangs on it goes, and it is opened again as after a crash.
    private void Failed()
    {
        foreach (var link in _links.Values.ToList())
        {
            link.CloseByFollower();
        }

        _links.Clear();
        _node.JournalFailed();
        IsOpen = false;
        _process.After(_cluster.World.Between(1_000, 50_000), () =>
        {
            (_journal, Core) = Open();
            IsOpen = true;
        });
        Core = _cluster.Plant.MakeFollower(Guid.Empty, new(Position.Start, Position.Start, null), new LogState(), FollowerTimes.Default, _node.Clock.Now);
    }

    private void CarryOut()
    {
        for (var i = 0; i < _actions.Count; i++)
        {
            switch (_actions[i])
            {
                case FollowerAction.Reply reply when _links.TryGetValue(reply.Stream, out var link):
                    link.Answer(reply.Message);
                    break;
                case FollowerAction.WriteEntry write:
                    _journal.Write(write.Entry, write.Ticket);
                    break;
                case FollowerAction.WriteCut cut:
                    _journal.Write(JournalRecordKind.Cut, cut.End, cut.Ticket);
                    break;
                case FollowerAction.WriteNote note:
                    _journal.Write(note.Note, note.Ticket);
                    break;
                case FollowerAction.WriteBase trimmed:
                    _journal.Write(JournalRecordKind.Base, trimmed.Base, trimmed.Ticket);
                    break;
                case FollowerAction.WriteStart start:
                    _journal.Write(JournalRecordKind.Start, start.Base, start.Ticket);
                    break;
                case FollowerAction.CloseStream close when _links.Remove(close.Stream, out var closing):
                    closing.CloseByFollower();
                    Core.Closed(close.Stream, released: false, _node.Clock.Now);
                    break;
                case FollowerAction.Diverged diverged:
                    _cluster.History.Contradictions.Add(new($"follower {_node.Index}", diverged.Reason, _cluster.World.Now));
                    break;
            }
        }

        _actions.Clear();
        Wake();
    }

    private void Wake()
    {
        if (Core.WakeAt is { } at && !(_wakeSet <= at))
        {
            _wakeSet = at;
            _process.After(_node.Clock.Until(at), () =>
            {
                if (_wakeSet == at)
                {
                    _wakeSet = null;
                }

                Core.Pass(_node.Clock.Now, _actions);
                CarryOut();
            });
        }
    }
}
