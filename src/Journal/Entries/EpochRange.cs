using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>One leadership's stretch of the log.</summary>
/// <param name="Epoch">The leadership.</param>
/// <param name="FirstSequence">Its epoch entry's sequence.</param>
/// <param name="LastSequence">Its last adopted sequence, or <see cref="OpenEnd"/> while it goes on.</param>
/// <param name="HashAtEnd">The chain hash at <paramref name="LastSequence"/>; zero while it goes on.</param>
public readonly record struct EpochRange(uint Epoch, ulong FirstSequence, ulong LastSequence, ChainHash HashAtEnd)
{
    /// <summary>The last sequence of a range that is not closed yet.</summary>
    public const ulong OpenEnd = ulong.MaxValue;

    /// <summary>The leadership goes on, as far as this table knows.</summary>
    public bool IsOpen => LastSequence == OpenEnd;

    /// <summary>Whether the sequence lies in this stretch.</summary>
    public bool Contains(ulong sequence) => sequence >= FirstSequence && sequence <= LastSequence;
}
