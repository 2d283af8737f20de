namespace ReplicatedSqlite.Cluster;

/// <summary>Which of the nodes that could follow a database too should be the next.</summary>
/// <remarks>
/// In this order: while it can be avoided no region gets so many followers that its loss takes the quorum; a zone where none is comes before one with some; near the primary
/// before far from it. So the quorum is as near as it can be without standing or falling with one place.
/// </remarks>
/// <param name="primary">Where the database is led; <see langword="null"/> if that is not known.</param>
/// <param name="count">How many followers there will be.</param>
/// <param name="quorum">How many of them must have a write.</param>
/// <param name="distanceOf">Round trip from the primary to a node; <see langword="null"/> where nobody knows it.</param>
internal sealed class FollowerSpread(NodeRecord? primary, int count, int quorum, Func<NodeRecord, TimeSpan?>? distanceOf)
{
    /// <summary>The best of the candidates beside those that are chosen already; <see langword="null"/> if there is none.</summary>
    public NodeRecord? Next(IEnumerable<NodeRecord> candidates, IReadOnlyCollection<NodeRecord> chosen) => candidates
        .OrderBy(node => chosen.Count(other => other.Region == node.Region) >= Math.Max(1, count - quorum))
        .ThenBy(node => chosen.Count(other => ZoneOf(other) == ZoneOf(node)))
        .ThenBy(DistanceOf)
        .ThenBy(static node => node.Id, StringComparer.Ordinal)
        .FirstOrDefault();

    // A region that names no zones is one.
    private static (string Region, string Zone) ZoneOf(NodeRecord node) => (node.Region, node.Zone);

    // What was not measured counts as far, unless it is in the same region.
    private TimeSpan DistanceOf(NodeRecord node) => distanceOf?.Invoke(node) ?? (node.Region == primary?.Region ? TimeSpan.Zero : TimeSpan.MaxValue);
}
