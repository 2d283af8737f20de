using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Simulation;

/// <summary>Which follower set is wanted next.</summary>
internal static class SetChanges
{
    /// <summary>Every set that may count: those that any log names since the newest confirmed one, and the catalogue's.</summary>
    public static IEnumerable<FollowerSet> InForce(Cluster cluster)
    {
        var known = cluster.Nodes.SelectMany(node => node.Disk.Synced.KnownSets).Distinct().ToList();
        var decided = known.Select(sets => sets.DecidedAt).ToHashSet();
        var confirmed = cluster.History.Confirmed.Select(entry => entry.End).Where(decided.Contains).DefaultIfEmpty().Max();
        return known
            .Where(sets => sets.DecidedAt >= confirmed)
            .SelectMany(sets => sets.DecidedAt == confirmed ? [sets.Sets.Current] : sets.Sets.Both.AsEnumerable())
            .Append(cluster.Control.Current.Followers);
    }

    /// <summary>There is only one such set, every member of it has its journal, and knows that the last change is done; nobody is about to change it.</summary>
    public static bool IsSettled(Cluster cluster)
    {
        var sets = InForce(cluster).Distinct().ToList();
        return sets.Count == 1 && cluster.Nodes.All(node => node.Leader is null or { Leads: true }) && sets[0].Members.All(member => cluster.HomeOf(member).Disk is var disk && disk.Journal == member && KnowsThatItIsDone(disk));
    }

    // A change that is not known to be confirmed needs promises of the old set too, whose journals may be gone.
    private static bool KnowsThatItIsDone(SimulatedDisk disk) =>
        disk.Synced.KnownSets.LastOrDefault() is not { Sets.Old: not null } change || disk.Synced.Note?.Confirmed >= change.DecidedAt;

    /// <summary>Whether the catalogue's set has a member whose journal is gone.</summary>
    public static bool LacksMember(Cluster cluster) =>
        cluster.Control.Current.Followers.Members.Any(member => cluster.HomeOf(member).Disk.Journal != member);

    /// <summary>Asks for a change: journals that are gone are replaced, else the set grows, shrinks or swaps one.</summary>
    public static void Any(Cluster cluster)
    {
        var world = cluster.World;
        var record = cluster.Control.Current;
        var members = record.Followers.Members.ToList();
        var free = cluster.Nodes.Select(node => node.Disk.Journal).Where(journal => !members.Contains(journal)).ToList();
        var gone = members.FindIndex(member => cluster.HomeOf(member).Disk.Journal != member);
        if (gone >= 0)
        {
            var there = cluster.HomeOf(members[gone]).Disk.Journal;
            if (!members.Contains(there))
            {
                members[gone] = there;
            }
            else if (free.Count > 0)
            {
                members[gone] = world.Pick(free);
            }
            else
            {
                members.RemoveAt(gone);
            }
        }
        else if (world.Chance(0.3) && free.Count >= 2 && members.Count < 5)
        {
            members.AddRange(free.Take(2));
        }
        else if (world.Chance(0.3) && members.Count > 3)
        {
            members.RemoveRange(world.Random.Next(members.Count - 1), 2);
        }
        else if (free.Count > 0)
        {
            members[world.Random.Next(members.Count)] = world.Pick(free);
        }

        var wanted = FollowerSet.Majority(members);
        var leaders = cluster.Nodes.Where(node => node.Watchdog is not null && record.Followers.Contains(node.Disk.Journal) && wanted.Contains(node.Disk.Journal)).ToList();
        if (leaders.Count > 0)
        {
            var node = leaders.Find(candidate => candidate.Leader?.Leads == true) ?? world.Pick(leaders);
            node.Watchdog!.TakeOver(record, wanted);
        }
    }
}
