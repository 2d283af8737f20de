using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>What the protocol cores may ask of a durable log. It answers from what is there now and changes nothing.</summary>
public interface ILogView
{
    /// <summary>The log reaches back to here: its base, or the start.</summary>
    Position First { get; }

    /// <summary>The durable end.</summary>
    Position Last { get; }

    /// <summary>Whether an entry ends exactly here, by hash, or the log begins here.</summary>
    bool Holds(Position position);

    /// <summary>The greatest position of the log that is not above this (epoch, sequence), whatever the hash; <see cref="First"/> if all are above.</summary>
    Position FloorOf(uint epoch, ulong sequence);
}
