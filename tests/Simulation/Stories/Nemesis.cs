namespace ReplicatedSqlite.Simulation;

/// <summary>Does things to a cluster until it is told to stop; each thing ends by itself after a while.</summary>
internal sealed class Nemesis
{
    private readonly Cluster _cluster;
    private readonly World _world;
    private readonly StoryPlan _plan;
    private readonly int _weights;
    private bool _isStopped;

    public Nemesis(Cluster cluster, StoryPlan plan)
    {
        (_cluster, _world, _plan, _weights) = (cluster, cluster.World, plan, plan.Weights.Sum());
        if (_weights > 0)
        {
            _world.After(300_000, Rest);
        }
    }

    /// <summary>Ends all that it began.</summary>
    public void Stop()
    {
        _isStopped = true;
        _cluster.Network.UnblockAll();
        _cluster.Network.SlowDown(0);
        _cluster.Network.Weather = NetworkWeather.Calm;
        _cluster.Control.IsReachable = true;
        _cluster.Control.StaleShare = 0;
        foreach (var node in _cluster.Nodes)
        {
            node.Disk.SyncTime = (100, 2_000);
            node.Disk.FailsNextSync = false;
            if (!node.Process.IsAlive)
            {
                node.Start();
            }

            node.Process.Resume();
        }
    }

    /// <summary>Does one thing now.</summary>
    public void Do(NemesisKind kind)
    {
        _world.Log?.Invoke($"{_world.Now} nemesis: {kind}");
        _world.Note((ulong)kind);
        var node = _world.Pick(_cluster.Nodes);
        var leader = _cluster.Nodes.FirstOrDefault(candidate => candidate.Leader?.Leads == true) ?? node;
        switch (kind)
        {
            case NemesisKind.KillProcess:
                Kill(_world.Chance(0.5) ? leader : node, loseCache: false);
                break;
            case NemesisKind.CutPower:
                Kill(_world.Chance(0.5) ? leader : node, loseCache: true);
                break;
            case NemesisKind.CutPowerEverywhere:
                foreach (var each in _cluster.Nodes)
                {
                    Kill(each, loseCache: true);
                }

                break;
            case NemesisKind.PauseProcess:
                Pause(node);
                break;
            case NemesisKind.PauseLeader:
                Pause(leader);
                break;
            case NemesisKind.BlockOneWay:
                Block([(_world.Pick(_cluster.Nodes).Index, node.Index)]);
                break;
            case NemesisKind.Isolate:
                Block(Around(node));
                break;
            case NemesisKind.IsolateLeader:
                Block(_world.Chance(0.3) ? [.. Around(leader).Where(way => way.To == leader.Index)] : Around(leader));
                break;
            case NemesisKind.Split:
                var side = _cluster.Nodes.Where(_ => _world.Chance(0.5)).Select(each => each.Index).ToHashSet();
                Block([.. from left in _cluster.Nodes from right in _cluster.Nodes where side.Contains(left.Index) != side.Contains(right.Index) select (left.Index, right.Index)]);
                break;
            case NemesisKind.FailSync:
                (_world.Chance(0.3) ? leader : node).Disk.FailsNextSync = true;
                break;
            case NemesisKind.SlowDisk:
                SlowDown(node.Disk);
                break;
            case NemesisKind.EmptyDisk:
                EmptyDisk(node);
                break;
            case NemesisKind.ChangeSet:
                SetChanges.Any(_cluster);
                break;
            case NemesisKind.TakeOver:
                node.Watchdog?.TakeOver(_cluster.Control.Read());
                break;
            case NemesisKind.Move:
                leader.Move(node);
                break;
            case NemesisKind.Release:
                leader.Release(remembers: _world.Chance(0.7));
                break;
            case NemesisKind.RollBackControl:
                _cluster.Control.RollBack();
                break;
            case NemesisKind.LoseControl:
                _cluster.Control.IsReachable = false;
                Later(() => _cluster.Control.IsReachable = true, 1_000_000);
                break;
            case NemesisKind.Trim:
                leader.Leader?.Trim();
                break;
            case NemesisKind.Checkpoint:
                node.Replica?.Checkpoint(_world.Chance(0.5));
                leader.Leader?.Checkpoint(_world.Chance(0.5));
                break;
            case NemesisKind.RestartReplica:
                node.Replica?.Close();
                node.StartReplica();
                break;
            case NemesisKind.Depose:
                Depose(leader);
                break;
            case NemesisKind.KillTwice:
                KillTwice(leader, node);
                break;
            case NemesisKind.Overlap:
                Overlap(leader);
                break;
            case NemesisKind.ChangeApart:
                ChangeApart(leader);
                break;
        }
    }

    private void Depose(SimulatedNode leader)
    {
        if (_world.Chance(0.7))
        {
            // Sometimes replicas beside the followers still hear the old one.
            var followersOnly = _world.Chance(_plan.ForReplicasShare);
            Block([.. Around(leader).Where(way => !followersOnly || (IsFollower(way.From) && IsFollower(way.To)))]);
        }
        else
        {
            Pause(leader);
        }

        var others = _cluster.Nodes.Where(node => node != leader).ToList();
        if (others.Count == 0)
        {
            return;
        }

        if (_world.Chance(0.45))
        {
            foreach (var other in others)
            {
                other.Kill(loseCache: false);
                Soon(1_000, 30_000, () => Start(other));
            }
        }

        Soon(1_000, 60_000, () => _world.Pick(others).Watchdog?.TakeOver(_cluster.Control.Current));
    }

    private bool IsFollower(int node) => _cluster.Control.Current.Followers.Contains(_cluster.Nodes[node].Disk.Journal);

    private void Overlap(SimulatedNode leader)
    {
        var others = _cluster.Nodes.Where(node => node != leader && _cluster.Control.Current.Followers.Contains(node.Disk.Journal)).ToList();
        if (others.Count < 2)
        {
            return;
        }

        var next = _world.Pick(others);
        var between = _world.Pick(others.Where(node => node != next).ToList());
        Block([(leader.Index, next.Index), (next.Index, leader.Index)]);
        next.Watchdog?.TakeOver(_cluster.Control.Current);
        Soon(1_000, 60_000, () =>
        {
            between.Kill(loseCache: _world.Chance(0.5));
            Soon(500, 5_000, () => Start(between));
        });
    }

    private void ChangeApart(SimulatedNode leader)
    {
        var record = _cluster.Control.Current;
        var members = record.Followers.Members;
        var free = _cluster.Nodes.Where(node => !members.Contains(node.Disk.Journal)).ToList();
        var leaving = _cluster.Nodes.Where(node => node != leader && members.Contains(node.Disk.Journal)).ToList();
        if (free.Count == 0 || leaving.Count == 0 || !members.Contains(leader.Disk.Journal))
        {
            return;
        }

        var (coming, going) = (_world.Pick(free), _world.Pick(leaving));
        var wanted = members.Select(member => member == going.Disk.Journal ? coming.Disk.Journal : member);
        leader.Watchdog?.TakeOver(record, ReplicatedSqlite.Cluster.FollowerSet.Majority(wanted));
        Soon(1_000, 40_000, () =>
        {
            var inside = _world.Chance(0.5) ? new[] { leader, coming } : [.. leaving.Append(leader)];
            Block([.. from left in _cluster.Nodes from right in _cluster.Nodes where inside.Contains(left) != inside.Contains(right) select (left.Index, right.Index)]);
            Soon(20_000, 300_000, () => _world.Pick(_cluster.Nodes).Watchdog?.TakeOver(_cluster.Control.Current));
        });
    }

    private void KillTwice(SimulatedNode leader, SimulatedNode follower)
    {
        follower.Kill(loseCache: false);
        Soon(1_000, 20_000, () => Start(follower));
        Later(() =>
        {
            follower.Kill(loseCache: true);
            Soon(1_000, 50_000, () => Start(follower));
            Kill(leader, loseCache: false);
        }, 300_000);
    }

    private void Rest()
    {
        if (_isStopped)
        {
            return;
        }

        var chosen = _world.Random.Next(_weights);
        var kind = 0;
        while ((chosen -= _plan.Weights[kind]) >= 0)
        {
            kind++;
        }

        Do((NemesisKind)kind);
        _world.After(_world.Between(1_000, _plan.MostRest), Rest);
    }

    private void Kill(SimulatedNode node, bool loseCache)
    {
        node.Kill(loseCache);
        Later(() => Start(node), 1_500_000);
    }

    private void Start(SimulatedNode node)
    {
        if (!_isStopped && !node.Process.IsAlive)
        {
            node.Start();
        }
    }

    private void Pause(SimulatedNode node)
    {
        var process = node.Process;
        process.Pause();
        Later(process.Resume, 2_000_000);
    }

    private (int From, int To)[] Around(SimulatedNode node) =>
        [.. _cluster.Nodes.Where(other => other != node).SelectMany(other => new[] { (node.Index, other.Index), (other.Index, node.Index) })];

    private void Block((int From, int To)[] ways)
    {
        foreach (var (from, to) in ways)
        {
            _cluster.Network.Block(from, to);
        }

        Later(() =>
        {
            foreach (var (from, to) in ways)
            {
                _cluster.Network.Unblock(from, to);
            }
        }, 2_000_000);
    }

    private void SlowDown(SimulatedDisk disk)
    {
        disk.SyncTime = (20_000, 300_000);
        Later(() => disk.SyncTime = _plan.SyncTime, 2_000_000);
    }

    // Only so many that what was answered is still somewhere: one at a time, while all other members have theirs and no change is under way.
    private void EmptyDisk(SimulatedNode node)
    {
        if (SetChanges.IsSettled(_cluster) && _cluster.Control.Current.Followers.Members.Length > 1)
        {
            node.Kill(loseCache: true);
            node.Empty();
            Later(() => Start(node), 300_000);
            Later(() => SetChanges.Any(_cluster), 1_500_000);
        }
    }

    private void Later(Action action, long most) => Soon(most / 20, most, action);

    private void Soon(long least, long most, Action action) => _world.After(_world.Between(least, most), () =>
    {
        if (!_isStopped)
        {
            action();
        }
    });
}
