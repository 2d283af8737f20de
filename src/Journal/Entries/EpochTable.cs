using System.Collections.Immutable;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>The leaderships that a log went through, each with its range of sequences. Immutable.</summary>
/// <remarks>Its newest range is open. It tells whether a bookmark lies on the timeline; that a later epoch is <i>confirmed</i> is the caller's knowledge.</remarks>
public sealed class EpochTable
{
    private EpochTable(ImmutableArray<EpochRange> ranges) => Ranges = ranges;

    /// <summary>The table of a log without entries.</summary>
    public static EpochTable Empty { get; } = new([]);

    /// <summary>The ranges by epoch; at most the last is open.</summary>
    public ImmutableArray<EpochRange> Ranges { get; }

    /// <summary>The newest epoch, or 0.</summary>
    public uint CurrentEpoch => Ranges.IsEmpty ? 0 : Ranges[^1].Epoch;

    /// <summary>The table once an epoch entry is appended behind <paramref name="predecessor"/>: the open range ends there, a new one begins.</summary>
    /// <exception cref="ArgumentException">The epoch is not above the newest, or the predecessor does not lie in the open range.</exception>
    public EpochTable Add(uint epoch, Position predecessor)
    {
        var ranges = Ranges;
        if (!ranges.IsEmpty)
        {
            var open = ranges[^1];
            if (predecessor.Epoch != open.Epoch || !open.Contains(predecessor.Sequence))
            {
                throw new ArgumentException($"Epoch {epoch} cannot follow {predecessor}: the newest epoch is {open.Epoch}, from sequence {open.FirstSequence}.", nameof(predecessor));
            }

            ranges = ranges.SetItem(ranges.Length - 1, open with { LastSequence = predecessor.Sequence, HashAtEnd = predecessor.Hash });
        }
        else if (predecessor != Position.Start)
        {
            throw new ArgumentException($"Epoch {epoch} cannot follow {predecessor}: the table is empty, so only the start of the log can come before it.", nameof(predecessor));
        }

        return Create(ranges.Add(new(epoch, predecessor.Sequence + 1, EpochRange.OpenEnd, ChainHash.Zero)));
    }

    /// <summary>A table of these ranges.</summary>
    /// <exception cref="EntryFormatException">They are not in order, leave gaps, or an earlier one is open.</exception>
    public static EpochTable Create(ImmutableArray<EpochRange> ranges) =>
        EpochTableFormat.FindFault(ranges) is { } fault ? throw new EntryFormatException($"Not an epoch table: {fault}.") : new(ranges);

    /// <summary>Whether anything of this epoch is on the timeline.</summary>
    public bool Contains(uint epoch) => Find(epoch) >= 0;

    /// <summary>The range of an epoch on the timeline.</summary>
    public bool TryGet(uint epoch, out EpochRange range)
    {
        var index = Find(epoch);
        range = index < 0 ? default : Ranges[index];
        return index >= 0;
    }

    /// <summary>Where a closed epoch ends; <see langword="null"/> when it is unknown or still open.</summary>
    public Position? LastOf(uint epoch) =>
        TryGet(epoch, out var range) && !range.IsOpen ? new Position(epoch, range.LastSequence, range.HashAtEnd) : null;

    /// <summary>The write that the bookmark names is, or may yet become, part of this log: its sequence lies in its epoch's range.</summary>
    public bool IsOnTimeline(Bookmark bookmark)
    {
        if (bookmark == Bookmark.Start)
        {
            return true;
        }

        // Only at a range's end is the entry's hash at hand; inside, the log itself has to be asked.
        return TryGet(bookmark.Epoch, out var range) && range.Contains(bookmark.Sequence)
            && (range.IsOpen || bookmark.Sequence != range.LastSequence || bookmark.EntryTag == range.HashAtEnd.Tag);
    }

    /// <summary>A later epoch, up to <paramref name="confirmedEpoch"/>, shut the bookmark's write out of the timeline.</summary>
    /// <param name="bookmark">Of this database.</param>
    /// <param name="confirmedEpoch">The greatest epoch of which an entry is confirmed.</param>
    public bool IsAbandoned(Bookmark bookmark, uint confirmedEpoch) =>
        bookmark.Epoch < Math.Min(confirmedEpoch, CurrentEpoch) && !IsOnTimeline(bookmark);

    private int Find(uint epoch)
    {
        int low = 0, high = Ranges.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (Ranges[middle].Epoch == epoch)
            {
                return middle;
            }

            if (Ranges[middle].Epoch < epoch)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return -1;
    }
}
