using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Simulation;

/// <summary>A leader's stream to one follower, with both its ends.</summary>
internal sealed class LeaderLink
{
    /// <summary>The follower took the stream.</summary>
    public static object Accepted { get; } = new();

    private static readonly object Closed = new();
    private static readonly object Released = new();

    private readonly Cluster _cluster;
    private readonly SimulatedNode _from;
    private readonly SimulatedNode _to;
    private readonly LeaderHost _leader;
    private readonly SimulatedProcess _leaderProcess;
    private readonly SimulatedProcess _followerProcess;
    private readonly SimulatedPipe _ahead;
    private readonly SimulatedPipe _back;
    private bool _closedByLeader;
    private bool _closedByFollower;
    private FollowerHost? _follower;

    public LeaderLink(Cluster cluster, LeaderHost leader, SimulatedNode from, SimulatedNode to, Guid member, Promise promise)
    {
        (_cluster, _leader, _from, _to, Member, Promise) = (cluster, leader, from, to, member, promise);
        Id = cluster.NextStream();
        (_leaderProcess, _followerProcess) = (from.Process, to.Process);
        _ahead = new(cluster.World, cluster.Network, from.Index, to.Index, _followerProcess, AtFollower);
        _back = new(cluster.World, cluster.Network, to.Index, from.Index, _leaderProcess, AtLeader);
        _followerProcess.Died += () => cluster.Network.Post(to.Index, from.Index, _leaderProcess, EndAtLeader);
        _leaderProcess.Died += () => cluster.Network.Post(from.Index, to.Index, _followerProcess, () => EndAtFollower(false));
        _ahead.Send(Promise); // the hello
        Watch();
    }

    public int Id { get; }

    public Guid Member { get; }

    public Promise Promise { get; }

    public LeaderHost Leader => _leader;

    /// <summary>The follower is on the leader's own node.</summary>
    public bool IsOwn => _from == _to;

    public void Send(LeaderMessage message) => _ahead.Send(message);

    public void Answer(object message) => _back.Send(message);

    /// <summary>Ends it behind what was sent.</summary>
    public void CloseByLeader(bool released)
    {
        if (!_closedByLeader)
        {
            _closedByLeader = true;
            _ahead.Send(released ? Released : Closed);
        }
    }

    public void CloseByFollower()
    {
        _follower = null;
        _closedByFollower = true;
        _back.Send(Closed);
    }

    private void AtFollower(object message)
    {
        if (_closedByFollower || (_closedByLeader && _follower is null))
        {
            return; // a connection that ended before it was taken
        }

        if (message is Promise)
        {
            _follower = _to.Follower;
            _follower?.Accept(this);
        }
        else if (message == Closed || message == Released)
        {
            EndAtFollower(message == Released);
        }
        else
        {
            _follower?.Receive(this, (LeaderMessage)message);
        }
    }

    private void AtLeader(object message)
    {
        if (_closedByLeader)
        {
            return;
        }

        if (message == Closed)
        {
            EndAtLeader();
        }
        else if (message == Accepted)
        {
            _leader.Accepted(this);
        }
        else
        {
            _leader.Receive(this, (FollowerMessage)message);
        }
    }

    private void EndAtFollower(bool released)
    {
        _follower?.Close(this, released);
        _follower = null;
        _closedByFollower = true;
        _back.Break();
    }

    private void EndAtLeader()
    {
        if (!_closedByLeader)
        {
            _closedByLeader = true;
            _ahead.Break();
            _leader.Ended(this);
        }
    }

    // Keep-alive: whoever does not hear from the other end for a while gives the stream up, each end by itself.
    private void Watch()
    {
        _cluster.World.After(_cluster.World.Between(200_000, 700_000), () =>
        {
            if (_closedByLeader && _follower is null)
            {
                return;
            }

            if (_closedByFollower && _cluster.CanTalk(_from, _to))
            {
                _leaderProcess.Run(EndAtLeader); // it is told so when it sends
            }

            if (!_leaderProcess.IsAlive || !_followerProcess.IsAlive || !_cluster.CanTalk(_from, _to))
            {
                if (!_cluster.World.Chance(0.3))
                {
                    _leaderProcess.Run(EndAtLeader);
                }

                if (!_cluster.World.Chance(0.3))
                {
                    _followerProcess.Run(() => EndAtFollower(false));
                }
            }

            if (_leaderProcess.IsAlive || _followerProcess.IsAlive)
            {
                Watch();
            }
        });
    }
}
