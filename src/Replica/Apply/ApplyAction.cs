using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica;

/// <summary>What the shell is to do with the file, in order.</summary>
/// <param name="Kind">What.</param>
/// <param name="Position">The entry that it is about, or what readers see afterwards.</param>
internal readonly record struct ApplyAction(ApplyActionKind Kind, Position Position);

/// <summary>Kinds of <see cref="ApplyAction"/>.</summary>
internal enum ApplyActionKind
{
    /// <summary>Write the entry that just arrived into the WAL, hidden.</summary>
    Append,

    /// <summary>Drop the hidden entries after <see cref="ApplyAction.Position"/>.</summary>
    DiscardAfter,

    /// <summary>Show readers everything up to and including <see cref="ApplyAction.Position"/>.</summary>
    Publish,

    /// <summary>What arrived does not fit: end the stream and subscribe again from <see cref="ApplyAction.Position"/>.</summary>
    Resubscribe,

    /// <summary>A confirmed entry of ours is not in the primary's log. Stop, report, and build this copy again from a snapshot.</summary>
    Diverged,
}
