using System.Collections.Immutable;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>Chooses the nodes whose journals keep a database's log durable.</summary>
public static class FollowerPlacement
{
    /// <summary>How many followers a cluster of so many nodes gives a database that asks for no number: five of five or more, three of three or more, else one.</summary>
    /// <remarks>Two of two would stop at any loss, and four survive no more losses than three.</remarks>
    public static int DefaultCount(int nodes) => nodes >= 5 ? 5 : nodes >= 3 ? 3 : 1;

    /// <summary>The smallest majority.</summary>
    public static int DefaultQuorum(int followers) => (followers / 2) + 1;

    /// <summary>Checks what was asked for.</summary>
    /// <exception cref="RequestException">It is not possible in any cluster.</exception>
    public static void Check(int? followers, int? quorum)
    {
        if (followers is { } count && count is not (1 or 3 or 5))
        {
            throw new RequestException(ErrorCodes.InvalidRequest, $"{count} followers are not possible: 1, 3 or 5 are.");
        }

        if (quorum is { } wanted && (wanted < 1 || wanted > (followers ?? 5) || wanted <= (followers ?? 1) / 2))
        {
            throw new RequestException(
                ErrorCodes.InvalidRequest,
                $"A quorum of {wanted} is not possible with {followers?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "the cluster's number of"} followers: " +
                "it is more than half of them, and not more than there are.");
        }
    }

    /// <summary>Chooses followers: those that are there already and alive stay, the primary's own node comes first, then whoever <see cref="FollowerSpread"/> puts next.</summary>
    /// <param name="nodes">The nodes alive.</param>
    /// <param name="primaryNode">Where the primary is, or is to be.</param>
    /// <param name="present">The followers that there are; empty for a new database.</param>
    /// <param name="wanted">How many; <see langword="null"/> for the default.</param>
    /// <param name="wantedQuorum">How many must have a write; <see langword="null"/> for the smallest majority.</param>
    /// <param name="distanceOf">Round trip from the primary to a node; <see langword="null"/> where nobody knows it.</param>
    /// <exception cref="RequestException">There are not enough nodes.</exception>
    public static (ImmutableArray<FollowerPlace> Followers, int Quorum) Choose(
        IReadOnlyList<NodeRecord> nodes, string primaryNode, IReadOnlyCollection<FollowerPlace> present, int? wanted, int? wantedQuorum,
        Func<NodeRecord, TimeSpan?>? distanceOf = null)
    {
        var able = nodes.Where(static node => node.MayFollow).ToList();
        var count = wanted ?? DefaultCount(able.Count);
        if (able.Count < count)
        {
            throw new RequestException(
                ErrorCodes.InvalidRequest, $"{count} followers need as many nodes with a journal that may follow; {able.Count} are alive. Ask for fewer followers, or start more nodes.");
        }

        var quorum = wantedQuorum ?? DefaultQuorum(count);
        var chosen = able
            .Where(node => node.Id == primaryNode || present.Any(place => place.Journal == node.JournalId))
            .OrderByDescending(node => node.Id == primaryNode)
            .ThenBy(static node => node.Id, StringComparer.Ordinal)
            .Take(count)
            .ToList();
        var spread = new FollowerSpread(nodes.FirstOrDefault(node => node.Id == primaryNode), count, quorum, distanceOf);
        while (chosen.Count < count)
        {
            chosen.Add(spread.Next(able.Except(chosen), chosen)!); // there are enough: counted above
        }

        if (quorum > count || quorum <= count / 2)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, $"A quorum of {quorum} is not possible with {count} followers: from {DefaultQuorum(count)} to {count} is.");
        }

        return ([.. chosen.Select(static node => new FollowerPlace(node.JournalId, node.Id)).OrderBy(static place => place.Journal)], quorum);
    }

    /// <summary>The set that a database should have from now on, if that is another one than the catalogue names: what was asked for, or in place of followers whose journals are gone.</summary>
    /// <remarks>
    /// A node that is down keeps its place until it is taken for lost; one that is alive with another journal is known to have lost what it held. Only one lost follower is replaced at a
    /// time. A set never shrinks unless that was asked for.
    /// </remarks>
    /// <param name="nodes">The nodes alive.</param>
    /// <param name="primaryNode">Who leads; it follows too.</param>
    /// <param name="database">As the catalogue has it.</param>
    /// <param name="distanceOf">Round trip from the primary to a node; <see langword="null"/> where nobody knows it.</param>
    /// <param name="lost">Who is taken for lost; <see langword="null"/>: nobody whose node is only away.</param>
    /// <returns><see langword="null"/>: the set is right, or there are not enough nodes to make it so.</returns>
    public static FollowerSet? Change(IReadOnlyList<NodeRecord> nodes, string primaryNode, DatabaseRecord database, Func<NodeRecord, TimeSpan?>? distanceOf = null, LostFollowers? lost = null)
    {
        if (database.FollowerSet is not { } present)
        {
            return null; // it is named for the first time
        }

        var replaced = lost is null ? null : FirstLost(database, lost)?.Place;
        var byNode = nodes.Where(node => node.MayFollow && lost?.MayFollow(node.JournalId) != false).ToDictionary(static node => node.Id);
        var alive = nodes.ToDictionary(static node => node.Id);
        var kept = database.Followers.Where(place => place != replaced).Where(place => !alive.TryGetValue(place.NodeId, out var node) || (node.JournalId == place.Journal && node.MayFollow)).ToList();
        var count = database.WantedFollowers ?? Math.Max(database.Followers.Length, DefaultCount(byNode.Count));
        var chosen = new List<FollowerPlace>();
        if (byNode.TryGetValue(primaryNode, out var primary))
        {
            chosen.Add(new(primary.JournalId, primary.Id));
        }

        chosen.AddRange(kept.Where(place => place.NodeId != primaryNode).Take(count - chosen.Count));
        var spread = new FollowerSpread(alive.GetValueOrDefault(primaryNode), count, database.WantedQuorum ?? DefaultQuorum(count), distanceOf);
        while (chosen.Count < count
            && spread.Next(
                byNode.Values.Where(node => chosen.TrueForAll(place => place.NodeId != node.Id)),
                [.. chosen.Select(place => alive.GetValueOrDefault(place.NodeId)).OfType<NodeRecord>()]) is { } next)
        {
            chosen.Add(new(next.JournalId, next.Id));
        }

        if (chosen.Count < count && chosen.Count < database.Followers.Length)
        {
            return null;
        }

        if (chosen.Count is 2 or 4)
        {
            chosen.RemoveAt(chosen.Count - 1); // 1, 3 or 5: one more would have to answer and no more could be lost
        }

        var quorum = database.WantedQuorum is { } wanted && wanted <= chosen.Count && wanted > chosen.Count / 2 ? wanted : DefaultQuorum(chosen.Count);
        var set = new FollowerSet(chosen.Select(static place => place.Journal), quorum);
        return set.Equals(present) ? null : set;
    }

    /// <summary>A follower of a database whose place another node should have, and why; <see langword="null"/> if there is none.</summary>
    public static (FollowerPlace Place, string Reason)? FirstLost(DatabaseRecord database, LostFollowers lost)
    {
        ArgumentNullException.ThrowIfNull(lost);
        foreach (var place in database.Followers)
        {
            if (lost.ReasonFor(place) is { } reason)
            {
                return (place, reason);
            }
        }

        return null;
    }

    /// <summary>Where the followers of a set are, as far as that is known.</summary>
    public static ImmutableArray<FollowerPlace> Places(FollowerSet set, IReadOnlyList<NodeRecord> nodes, ImmutableArray<FollowerPlace> known) =>
        [.. set.Members.Select(journal => new FollowerPlace(
            journal,
            nodes.FirstOrDefault(node => node.JournalId == journal)?.Id ?? known.FirstOrDefault(place => place.Journal == journal).NodeId ?? ""))];
}
