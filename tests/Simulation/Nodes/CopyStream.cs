using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>A replica's subscription at a node that it takes for the primary.</summary>
internal sealed class CopyStream
{
    private readonly Cluster _cluster;
    private readonly SimulatedNode _replica;
    private readonly SimulatedNode _primary;
    private readonly ReplicaHost _host;
    private readonly SimulatedPipe _toPrimary;
    private readonly SimulatedPipe _toReplica;
    private readonly SimulatedProcess _replicaProcess;
    private readonly SimulatedProcess _primaryProcess;
    private LeaderHost? _leader;
    private bool _closedByPrimary;
    private bool _closed;
    private CopyMessage? _early; // a mark that overtook the welcome

    public CopyStream(Cluster cluster, ReplicaHost host, SimulatedNode replica, SimulatedNode primary)
    {
        (_cluster, _host, _replica, _primary) = (cluster, host, replica, primary);
        (_replicaProcess, _primaryProcess) = (replica.Process, primary.Process);
        _primaryProcess.Died += () => cluster.Network.Post(primary.Index, replica.Index, _replicaProcess, () => host.Drop(this));
        _toPrimary = new(cluster.World, cluster.Network, replica.Index, primary.Index, _primaryProcess, AtPrimary);
        _toReplica = new(cluster.World, cluster.Network, primary.Index, replica.Index, _replicaProcess, AtReplica);
        Watch();
    }

    /// <summary>The leadership that speaks; known from its first message on.</summary>
    public uint Epoch { get; set; }

    /// <summary>The subscriber's number at the leader.</summary>
    public int Subscriber { get; set; }

    public SimulatedNode Primary => _primary;

    /// <summary>The replica left it; what was on its way may still come and must change nothing.</summary>
    public bool IsLate => _closed && Epoch > 0;

    public void Subscribe(Position from) => _toPrimary.Send(from);

    public void Report(long bytes) => _toPrimary.Send(new CopyMessage.Report(bytes));

    /// <summary>Marks may overtake what was sent before them: they name an exact entry, so nothing hangs on their order.</summary>
    public void Send(CopyMessage message)
    {
        if (message is CopyMessage.Mark && _cluster.Network.Weather.RepeatShare > 0 && _cluster.World.Chance(0.3))
        {
            _cluster.Network.Post(_primary.Index, _replica.Index, _replicaProcess, () => Overtake(message));
        }
        else
        {
            _toReplica.Send(message);
        }
    }

    /// <summary>The replica turns to another primary. This one finds out late.</summary>
    public void Leave()
    {
        _closed = true;
        _cluster.World.After(_cluster.World.Between(0, 1_000_000), () => _primaryProcess.Run(CloseByPrimary));
    }

    public void CloseByReplica()
    {
        _closed = true;
        _toPrimary.Break();
        _cluster.Network.Post(_replica.Index, _primary.Index, _primaryProcess, CloseByPrimary);
    }

    public void CloseByPrimary()
    {
        _leader?.Unsubscribe(this);
        _leader = null;
        _closedByPrimary = true;
        _toReplica.Break();
    }

    private void Overtake(CopyMessage mark)
    {
        if (Epoch > 0)
        {
            _host.Take(this, mark);
        }
        else
        {
            _early = mark;
        }
    }

    private void AtReplica(object message)
    {
        _host.Take(this, message);
        if (_early is { } mark && Epoch > 0)
        {
            _early = null;
            _host.Take(this, mark);
        }
    }

    private void AtPrimary(object message)
    {
        if (message is Position from)
        {
            _leader = _primary.Leader;
            if (_leader is null || !_leader.TrySubscribe(this, from))
            {
                _leader = null;
                Send(new CopyMessage.Goodbye());
            }
        }
        else if (message is CopyMessage.Report report)
        {
            _leader?.Report(this, report.Bytes);
        }
    }

    // Keep-alive: a stream whose other end cannot be reached for a while, or is gone, is given up.
    private void Watch()
    {
        _cluster.World.After(_cluster.World.Between(300_000, 900_000), () =>
        {
            if (!_replicaProcess.IsAlive)
            {
                _primaryProcess.Run(CloseByPrimary);
            }
            else if (!_closed)
            {
                if (_closedByPrimary || !_primaryProcess.IsAlive || !_cluster.CanTalk(_replica, _primary))
                {
                    _primaryProcess.Run(CloseByPrimary);
                    _replicaProcess.Run(() => _host.Drop(this));
                }

                Watch();
            }
        });
    }
}
