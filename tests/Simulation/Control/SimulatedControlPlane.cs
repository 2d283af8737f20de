using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Simulation;

/// <summary>What the control plane says about the database.</summary>
/// <param name="Epoch">The newest leadership's number.</param>
/// <param name="Leader">The node that won it; -1 before the first.</param>
/// <param name="Activation">Its activation, as the winner wrote it.</param>
/// <param name="Followers">A hint.</param>
internal sealed record LeadershipRecord(uint Epoch, int Leader, ulong Activation, FollowerSet Followers, bool IsDeleted = false);

/// <summary>Names epochs by compare-and-swap. Readers may get an older copy; the whole may be brought back from an older copy, and then an epoch is given twice.</summary>
internal sealed class SimulatedControlPlane(World world, SimulatedNetwork network, LeadershipRecord first)
{
    private const int KeptCopies = 6;

    private readonly List<LeadershipRecord> _older = [];

    public LeadershipRecord Current { get; private set; } = first;

    /// <summary>How often a reader gets an older copy.</summary>
    public double StaleShare { get; set; }

    public bool IsReachable { get; set; } = true;

    /// <summary>What somebody who asks now may be told.</summary>
    public LeadershipRecord Read() => _older.Count > 0 && StaleShare > 0 && world.Chance(StaleShare) ? world.Pick(_older) : Current;

    public void Read(int from, SimulatedProcess reader, Action<LeadershipRecord> answer)
    {
        if (IsReachable)
        {
            network.Post(from, network.Outside, null, () =>
            {
                var record = Read();
                network.Post(network.Outside, from, reader, () => answer(record));
            });
        }
    }

    /// <summary>Changes the record if its epoch is still what the caller saw. The answer may be lost, and the change made all the same.</summary>
    public void TrySwap(int from, SimulatedProcess caller, uint seenEpoch, LeadershipRecord next, Action<bool> answer)
    {
        if (IsReachable)
        {
            network.Post(from, network.Outside, null, () =>
            {
                var swapped = Current.Epoch == seenEpoch && !Current.IsDeleted && next.Epoch >= seenEpoch;
                if (swapped)
                {
                    Put(next);
                }

                network.Post(network.Outside, from, caller, () => answer(swapped));
            });
        }
    }

    /// <summary>The hint in the catalogue.</summary>
    public void NameFollowers(FollowerSet followers, uint epoch)
    {
        if (Current.Epoch == epoch)
        {
            Put(Current with { Followers = followers });
        }
    }

    /// <summary>Somebody copies an old file back. The followers stay: with a set whose journals are gone by now, only an operator could go on.</summary>
    public void RollBack()
    {
        if (_older.Count > 0)
        {
            Current = world.Pick(_older) with { Followers = Current.Followers };
        }
    }

    private void Put(LeadershipRecord record)
    {
        _older.Add(Current);
        if (_older.Count > KeptCopies)
        {
            _older.RemoveAt(0);
        }

        Current = record;
    }
}
