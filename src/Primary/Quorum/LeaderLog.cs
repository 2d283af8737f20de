using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>The leader's own log: what it adopted, as its own follower has it, and what it appended since.</summary>
/// <remarks>The own follower may still have an abandoned tail behind what was adopted; it is not of this log.</remarks>
internal sealed class LeaderLog(ILogView own, uint epoch) : ILogView
{
    private readonly LogTail _tail = new(); // of this epoch, and not yet known to be in the own follower's log

    /// <summary>The end of what was adopted.</summary>
    public Position Adopted { get; private set; }

    /// <inheritdoc/>
    public Position First => own.First;

    /// <inheritdoc/>
    public Position Last { get; private set; }

    /// <summary>Entries that only memory is sure to have.</summary>
    public int InMemory => _tail.Count;

    /// <summary>What comes next goes behind this.</summary>
    public void Adopt(Position adopted) => (Adopted, Last) = (adopted, adopted);

    public void Append(Position end)
    {
        Last = end;
        _tail.Add(end);
    }

    /// <summary>The own follower has everything up to here.</summary>
    public void Kept(Position position) => _tail.DropTo(position);

    /// <inheritdoc/>
    public bool Holds(Position position)
    {
        if (position == Last || position == Adopted)
        {
            return true;
        }

        return position > Last ? false
            : _tail.Count > 0 && position >= _tail[0] ? _tail.Holds(position)
            : !IsAbandoned(position) && own.Holds(position);
    }

    /// <inheritdoc/>
    public Position FloorOf(uint ofEpoch, ulong sequence)
    {
        var position = new Position(ofEpoch, sequence, default);
        if (position >= Last)
        {
            return Last;
        }

        if (_tail.FloorOf(position) is var at && at >= 0)
        {
            return _tail[at];
        }

        var floor = IsAbandoned(position) ? Adopted : own.FloorOf(ofEpoch, sequence);
        return IsAbandoned(floor) ? Adopted : floor;
    }

    /// <summary>Whether it lies behind what was adopted and is of an older epoch: not of this log, though the own follower may still have it.</summary>
    public bool IsAbandoned(Position position) => position > Adopted && position.Epoch < epoch;
}
