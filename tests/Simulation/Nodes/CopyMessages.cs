using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>What a primary's stream to a replica carries.</summary>
internal abstract record CopyMessage
{
    /// <summary>The first one: whose stream it is, the epochs, and an image for a replica that the log does not reach.</summary>
    public sealed record Welcome(uint Epoch, EpochTable Epochs, PageImage? Image) : CopyMessage;

    public sealed record NewEntry(Entry Entry) : CopyMessage;

    public sealed record Mark(Position Position) : CopyMessage;

    /// <summary>The other way: how many bytes of entries have come in all.</summary>
    public sealed record Report(long Bytes) : CopyMessage;

    /// <summary>The primary is none any more, or not yet.</summary>
    public sealed record Goodbye : CopyMessage;
}
