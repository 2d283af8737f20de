using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica.Tests;

/// <summary>An entry without its pages.</summary>
internal sealed record SimulatedEntry(Position End, Position Predecessor, ulong FirstSequence, int Bytes, EpochTable? Epochs);

/// <summary>What one stream carries to a replica, in order.</summary>
internal sealed record SimulatedMessage
{
    public EpochTable? Welcome { get; init; }

    public IReadOnlyList<SimulatedEntry>? Snapshot { get; init; }

    public SimulatedEntry? Entry { get; init; }

    public Position? Mark { get; init; }
}
