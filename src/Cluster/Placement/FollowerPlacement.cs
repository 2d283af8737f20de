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

    /// <summary>Chooses followers: those that are there already and alive stay, the primary's own node comes first, then other regions before a second node of the same.</summary>
    /// <param name="nodes">The nodes alive.</param>
    /// <param name="primaryNode">Where the primary is, or is to be.</param>
    /// <param name="present">The followers that there are; empty for a new database.</param>
    /// <param name="wanted">How many; <see langword="null"/> for the default.</param>
    /// <param name="wantedQuorum">How many must have a write; <see langword="null"/> for the smallest majority.</param>
    /// <exception cref="RequestException">There are not enough nodes.</exception>
    public static (ImmutableArray<FollowerPlace> Followers, int Quorum) Choose(
        IReadOnlyList<NodeRecord> nodes, string primaryNode, IReadOnlyCollection<FollowerPlace> present, int? wanted, int? wantedQuorum)
    {
        var able = nodes.Where(static node => node.JournalId != Guid.Empty).ToList();
        var count = wanted ?? DefaultCount(able.Count);
        if (able.Count < count)
        {
            throw new RequestException(
                ErrorCodes.InvalidRequest, $"{count} followers need as many nodes with a journal; {able.Count} are alive. Ask for fewer followers, or start more nodes.");
        }

        var chosen = new List<NodeRecord>();
        while (chosen.Count < count)
        {
            chosen.Add(able
                .Where(node => !chosen.Contains(node))
                .OrderByDescending(node => node.Id == primaryNode)
                .ThenByDescending(node => present.Any(place => place.Journal == node.JournalId))
                .ThenBy(node => chosen.Count(other => other.Region == node.Region))
                .ThenBy(static node => node.Id, StringComparer.Ordinal)
                .First());
        }

        var quorum = wantedQuorum ?? DefaultQuorum(count);
        if (quorum > count || quorum <= count / 2)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, $"A quorum of {quorum} is not possible with {count} followers: from {DefaultQuorum(count)} to {count} is.");
        }

        return ([.. chosen.Select(static node => new FollowerPlace(node.JournalId, node.Id)).OrderBy(static place => place.Journal)], quorum);
    }
}
