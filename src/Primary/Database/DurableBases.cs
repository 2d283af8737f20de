using System.Collections.Concurrent;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Which states the copies on the followers' nodes hold in their main files, synced: what a log may be trimmed behind while there is no cold storage.</summary>
/// <remarks>Safe for use by any thread. Bounded by the number of nodes.</remarks>
internal sealed class DurableBases
{
    private readonly ConcurrentDictionary<string, Position> _byNode = new();

    /// <summary>A replica's main file holds this.</summary>
    /// <returns>Whether that is news.</returns>
    public bool Note(string nodeId, Position position)
    {
        var isNew = !_byNode.TryGetValue(nodeId, out var known) || known != position;
        _byNode[nodeId] = position;
        return isNew;
    }

    /// <summary>The greatest position that the copies on the nodes of a quorum of followers have; the start if there are not so many.</summary>
    /// <remarks>So many that one is left whenever so many followers are left that the log can go on.</remarks>
    /// <param name="own">What the primary's own file holds.</param>
    /// <param name="followers">The set in force.</param>
    /// <param name="context">Says which nodes' journals these are.</param>
    public Position Common(Position own, FollowerSet followers, PrimaryContext context)
    {
        var positions = followers.Members.Select(journal => journal == context.OwnFollower.Journal ? own : Of(journal, context)).OrderDescending().ToList();
        return positions[followers.Quorum - 1];
    }

    private Position Of(Guid journal, PrimaryContext context) =>
        context.Control.Nodes.FirstOrDefault(node => node.JournalId == journal) is { } node && _byNode.TryGetValue(node.Id, out var position)
            ? position
            : Position.Start;
}
