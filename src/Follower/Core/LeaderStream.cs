using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

/// <summary>What a follower keeps of one leader's stream.</summary>
internal sealed class LeaderStream(ulong activation)
{
    public ulong Activation => activation;

    /// <summary>The core has ended it; what still comes is not looked at.</summary>
    public bool IsEnded { get; set; }

    /// <summary>An entry in parts that is not whole yet.</summary>
    public PartAssembly? Parts { get; set; }

    /// <summary>Messages that wait for the end of a lease; what comes behind them waits too.</summary>
    public int Parked { get; set; }

    /// <summary>Entries of the promised leadership came on it, so it is told how far they are on disk.</summary>
    public bool WantsAcks { get; set; }

    /// <summary>Whose entries they are.</summary>
    public Promise Leader { get; set; }

    /// <summary>What it was told last.</summary>
    public Position? Acked { get; set; }
}
