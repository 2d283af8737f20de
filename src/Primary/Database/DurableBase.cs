using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>A full copy of the database on this node, which its log can begin at.</summary>
/// <param name="Position">Everything up to it is in the copy's main file, synced.</param>
/// <param name="Sets">The followers in force there, if that is known.</param>
internal sealed record DurableBase(Position Position, KnownSets? Sets)
{
    /// <summary>It is not synced, and has no sidecar on the disk: this is what it would say. What it was made of is in cold storage.</summary>
    public Sidecar? Unsynced { get; init; }
}
