using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Simulation;

/// <summary>A node's wish to lead: it asks followers whether they have lost the leader, and takes the next epoch when R of them have.</summary>
internal sealed class Watchdog
{
    private const long Begins = 600_000;
    private const long LeaseEnds = 5_000_000;

    private readonly Cluster _cluster;
    private readonly SimulatedNode _node;
    private readonly SimulatedProcess _process;
    private bool _isTaking;
    private long _restUntil = long.MinValue;
    private (ulong Activation, long JudgeAt) _seen;

    public Watchdog(Cluster cluster, SimulatedNode node)
    {
        (_cluster, _node, _process) = (cluster, node, node.Process);
        if (cluster.Plan.HasWatchdogs || cluster.IsHealing)
        {
            Rest();
        }
    }

    /// <summary>Begins to watch, where it was left to a script.</summary>
    public void Begin() => Rest();

    /// <summary>A leadership here could not even begin; others are let try.</summary>
    public void Failed() => _restUntil = _node.Clock.Now + _cluster.World.Between(1_000_000, 4_000_000);

    /// <summary>Takes the next epoch, whatever there is; a mistaken one costs availability only.</summary>
    public void TakeOver(LeadershipRecord seen, FollowerSet? changeTo = null)
    {
        if (_node.Clock.Now < _restUntil && changeTo is null)
        {
            return;
        }

        if (_isTaking || seen.IsDeleted || _node.Follower is not { } follower)
        {
            return;
        }

        _isTaking = true;
        _cluster.World.Log?.Invoke($"{_cluster.World.Now} node {_node.Index}: wants what follows epoch {seen.Epoch}");
        var world = _cluster.World;
        var promise = new Promise(Math.Max(seen.Epoch, _node.GreatestEpoch) + 1, (ulong)world.Random.NextInt64());
        var next = seen with { Epoch = promise.Epoch, Leader = _node.Index, Activation = promise.Activation };
        _cluster.Control.TrySwap(_node.Index, _process, seen.Epoch, next, swapped =>
        {
            if (swapped && _isTaking)
            {
                _isTaking = false;
                _node.GreatestEpoch = Math.Max(_node.GreatestEpoch, promise.Epoch);
                _node.Lead(new(_cluster.Database, promise, _node.Disk.Journal, seen.Followers, follower.Core.Sets, changeTo) { OlderSets = [.. follower.Core.AllSets] });
            }
        });
        _process.After(300_000, () => _isTaking = false); // the answer may never come
    }

    private void Rest() => _process.After(_cluster.World.Between(150_000, 500_000), Look);

    private void Look()
    {
        Rest();
        if (_node.Leader is { } leader && _cluster.World.Chance(0.2))
        {
            // Whoever leads sees in the end that another one does.
            _cluster.Control.Read(_node.Index, _process, record =>
            {
                if (record.Epoch > leader.Promise.Epoch && record.Leader != _node.Index)
                {
                    leader.Close("the control plane names a later leadership");
                }
                else if (record.Epoch <= leader.Promise.Epoch && record.Activation != leader.Promise.Activation && leader.Leads)
                {
                    TakeOver(record); // it forgot this one; if this is only an old copy, nothing comes of it
                }
            });
        }
        else if (_node.Released is { } released)
        {
            _cluster.Control.Read(_node.Index, _process, record =>
            {
                if (record.Epoch < released.Epoch)
                {
                    _node.Forget(); // nobody would be sent here any more; a new epoch is taken
                }
            });
        }
        else if (_node.Leader is null)
        {
            _cluster.Control.Read(_node.Index, _process, Judge);
        }
    }

    private void Judge(LeadershipRecord record)
    {
        if (_node.Leader is not null || !record.Followers.Contains(_node.Disk.Journal))
        {
            return;
        }

        if (record.Leader < 0 || (record.Leader == _node.Index && record.Activation != 0))
        {
            TakeOver(record); // nobody leads, or it was an earlier life of this process
            return;
        }

        _cluster.World.Log?.Invoke($"{_cluster.World.Now} node {_node.Index}: looks at epoch {record.Epoch} of node {record.Leader}");

        // A leadership that has just begun is given the time to open its streams.
        if (record.Activation != _seen.Activation)
        {
            _seen = (record.Activation, _node.Clock.Now + Begins + _cluster.World.Between(0, 150_000));
        }

        if (_node.Clock.Now > _seen.JudgeAt + LeaseEnds && _cluster.Nodes[record.Leader] is { Leader: null, Released: null })
        {
            TakeOver(record); // its lease in the control plane is over, however it went
            return;
        }

        if (_node.Clock.Now < _seen.JudgeAt)
        {
            return;
        }

        var lost = 0;
        foreach (var member in record.Followers.Members)
        {
            var home = _cluster.HomeOf(member);
            _cluster.Network.Post(_node.Index, home.Index, home.Process, () =>
            {
                if (home.Disk.Journal == member && home.Follower?.HasLost(record.Activation) == true)
                {
                    _cluster.Network.Post(home.Index, _node.Index, _process, () =>
                    {
                        if (++lost == record.Followers.SealQuorum && _node.Leader is null)
                        {
                            TakeOver(record);
                        }
                    });
                }
            });
        }
    }
}
