namespace ReplicatedSqlite.EndToEnd;

/// <summary>What can be done to a cluster of processes.</summary>
internal enum FaultKind
{
    /// <summary>SIGKILL; what it wrote stays in the page cache.</summary>
    KillNode,

    /// <summary>SIGKILL, and what was not synced is lost, page by page.</summary>
    CutPower,

    /// <summary>The same to all nodes at once.</summary>
    CutPowerEverywhere,

    /// <summary>SIGSTOP, later SIGCONT.</summary>
    FreezeNode,

    /// <summary>SIGTERM, and started again.</summary>
    StopNode,

    /// <summary>Another node is asked to lead.</summary>
    MovePrimary,

    /// <summary>etcd is killed, and comes back.</summary>
    KillEtcd,

    /// <summary>etcd stands still.</summary>
    FreezeEtcd,

    /// <summary>The disk of one node is full.</summary>
    FillDisk,

    /// <summary>Two nodes do not hear each other.</summary>
    CutPair,

    /// <summary>One does not hear the other.</summary>
    CutPairOneWay,

    /// <summary>One hears nobody, and nobody hears it; neither does etcd.</summary>
    Isolate,

    /// <summary>The others do not hear one, which hears them.</summary>
    IsolateOneWay,

    /// <summary>A node and etcd do not hear each other.</summary>
    CutFromEtcd,

    /// <summary>The ways of one node lose packets.</summary>
    LosePackets,
}

/// <summary>A fault at a moment.</summary>
/// <param name="At">Since the beginning.</param>
/// <param name="Kind">What.</param>
/// <param name="Node">To whom; -1: to whoever leads a database just then.</param>
/// <param name="Other">The other side, or the database that is meant.</param>
/// <param name="For">Until it is over; of a kill, until the next start.</param>
/// <param name="Chance">For what is decided within it.</param>
internal sealed record ScheduledFault(TimeSpan At, FaultKind Kind, int Node, int Other, TimeSpan For, int Chance)
{
    public override string ToString() => string.Create(
        System.Globalization.CultureInfo.InvariantCulture, $"{At.TotalSeconds,7:F2} s  {Kind,-18} {(Node < 0 ? $"leader of d{Other}" : $"n{Node}"),-12} {(Kind is FaultKind.CutPair or FaultKind.CutPairOneWay ? $"n{Other} " : "")}for {For.TotalSeconds:F2} s");
}
