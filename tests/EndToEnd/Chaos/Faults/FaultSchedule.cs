namespace ReplicatedSqlite.EndToEnd;

/// <summary>The faults of a story, all chosen by its seed before it begins.</summary>
internal static class FaultSchedule
{
    // How often, in relation to each other.
    private static readonly (FaultKind Kind, int Weight)[] _always =
    [
        (FaultKind.KillNode, 5), (FaultKind.CutPower, 6), (FaultKind.CutPowerEverywhere, 1), (FaultKind.FreezeNode, 5), (FaultKind.StopNode, 1),
        (FaultKind.MovePrimary, 2), (FaultKind.KillEtcd, 2), (FaultKind.FreezeEtcd, 1),
    ];

    private static readonly (FaultKind Kind, int Weight)[] _network =
    [
        (FaultKind.CutPair, 4), (FaultKind.CutPairOneWay, 4), (FaultKind.Isolate, 4), (FaultKind.IsolateOneWay, 3), (FaultKind.CutFromEtcd, 2), (FaultKind.LosePackets, 2),
    ];

    public static IReadOnlyList<ScheduledFault> Make(int seed, int nodes, int databases, TimeSpan length, bool canCut, bool canFill)
    {
        var random = new Random(seed);
        var kinds = _always.Concat(canCut ? _network : []).Concat(canFill ? [(FaultKind.FillDisk, 2)] : []).SelectMany(kind => Enumerable.Repeat(kind.Kind, kind.Weight)).ToArray();
        var faults = new List<ScheduledFault>();
        for (var at = TimeSpan.FromSeconds(1.5); at < length; at += TimeSpan.FromSeconds(0.2 + (random.NextDouble() * random.NextDouble() * 8)))
        {
            var kind = kinds[random.Next(kinds.Length)];
            var node = kind == FaultKind.FillDisk ? nodes - 1 : random.NextDouble() < 0.5 && kind is not (FaultKind.CutPair or FaultKind.CutPairOneWay) ? -1 : random.Next(nodes);
            var other = node < 0 || kind == FaultKind.MovePrimary ? random.Next(databases) : (node + 1 + random.Next(nodes - 1)) % nodes;
            var seconds = 0.1 + (random.NextDouble() * (random.NextDouble() < 0.2 ? 9 : 3));
            faults.Add(new(at, kind, node, other, TimeSpan.FromSeconds(seconds), random.Next()));
        }

        return faults;
    }
}
