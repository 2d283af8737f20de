using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Finds a position that two logs share, by places that one of them holds and the other is asked about.</summary>
/// <remarks>Each place is below the one before, and each answer skips what the other log has of one epoch, so it ends after about as many round trips as the logs have epochs that differ.</remarks>
internal sealed class LogMatch(ILogView log)
{
    private Position _tried;
    private ulong _step;

    /// <summary>The first place to ask about.</summary>
    /// <param name="last">The end of the other log.</param>
    /// <param name="first">Its beginning.</param>
    /// <returns><see langword="null"/> if there is none: one log begins behind the other's end.</returns>
    public Position? Begin(Position last, Position first)
    {
        _step = 1;
        return Take(log.Holds(last) ? last : log.FloorOf(last.Epoch, last.Sequence), last, first);
    }

    /// <summary>The next place, after the last one was not found.</summary>
    /// <param name="own">The greatest position of the other log that is not above it.</param>
    /// <param name="first">The other log's beginning.</param>
    public Position? Next(Position own, Position first)
    {
        if (first > _tried)
        {
            // It was trimmed, or began anew at a base, after it said where it ends: an older leadership may do that to whoever has not promised this one.
            return log.Holds(first) ? _tried = first : null;
        }

        var floor = log.Holds(own) ? own : log.FloorOf(own.Epoch, own.Sequence);
        if (floor >= _tried)
        {
            // Another entry at the same place: two leaderships of one epoch. Further and further back, which costs no more than entries that are there already.
            floor = _tried.Sequence > _step ? log.FloorOf(_tried.Epoch, _tried.Sequence - _step) : log.First;
            _step *= 2;
        }

        return floor < _tried ? Take(floor, _tried, first) : null;
    }

    private Position? Take(Position place, Position below, Position first)
    {
        if (place > below)
        {
            return null; // this log begins behind the other's end
        }

        if (place < first || (place.CompareTo(first) == 0 && place != first))
        {
            if (!log.Holds(first))
            {
                return null;
            }

            place = first;
        }

        _tried = place;
        return place;
    }
}
