using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

/// <summary>A follower's log with what is on its way to the disk: what will be there when everything that was ordered is written.</summary>
/// <remarks>The journal may be ahead of what was told back by ticket; it is only asked about what both agree on.</remarks>
internal sealed class AppendedLog(ILogView log, Position first, Position last)
{
    private readonly record struct Unsynced(Position End, int Bytes, long Ticket);

    private readonly List<Unsynced> _tail = []; // ascending; from _head on
    private int _head;
    private long _startTicket; // of an emptying that is not on disk yet, or 0
    private Position _synced = last;

    /// <summary>The log reaches back to here.</summary>
    public Position First { get; private set; } = first;

    /// <summary>The end.</summary>
    public Position Last { get; private set; } = last;

    /// <summary>Up to here it is on disk; <see langword="null"/> while the log is being emptied, because what is on disk belongs to another one.</summary>
    public Position? Synced => _startTicket != 0 ? null : _synced;

    /// <summary>Entries that are not on disk yet.</summary>
    public int UnsyncedCount => _tail.Count - _head;

    /// <summary>Their encoded bytes.</summary>
    public long UnsyncedBytes { get; private set; }

    /// <summary>Whether an entry ends exactly here, by hash, or the log begins here.</summary>
    public bool Holds(Position position)
    {
        if (position == Last || position == First)
        {
            return true;
        }

        return position > _synced || _startTicket != 0
            ? FloorInTail(position) is var at && at >= 0 && _tail[at].End == position
            : position == _synced || (position > First && log.Holds(position));
    }

    /// <summary>The greatest position that is not above this one, whatever the hash; <see cref="First"/> if all are above.</summary>
    public Position FloorOf(Position position)
    {
        if (FloorInTail(position) is var at && at >= 0)
        {
            return _tail[at].End;
        }

        if (_startTicket != 0 || position <= First)
        {
            return First;
        }

        if (_synced <= position)
        {
            return _synced;
        }

        var floor = log.FloorOf(position.Epoch, position.Sequence);
        return floor < First ? First : floor;
    }

    public void Append(Entry entry, long ticket)
    {
        _tail.Add(new(entry.End, entry.Encoded.Length, ticket));
        UnsyncedBytes += entry.Encoded.Length;
        Last = entry.End;
    }

    public void CutTo(Position end)
    {
        while (UnsyncedCount > 0 && _tail[^1].End > end)
        {
            UnsyncedBytes -= _tail[^1].Bytes;
            _tail.RemoveAt(_tail.Count - 1);
        }

        Last = end;
        if (_synced > end)
        {
            _synced = end; // what the disk has behind it is no longer of this log
        }
    }

    public void StartAt(Position start, long ticket)
    {
        _tail.Clear();
        (_head, UnsyncedBytes, _startTicket) = (0, 0, ticket);
        (First, Last, _synced) = (start, start, start);
    }

    public void TrimTo(Position position) => First = position;

    /// <summary>Everything up to this ticket is on disk.</summary>
    public void Written(long ticket)
    {
        if (_startTicket <= ticket)
        {
            _startTicket = 0;
        }

        while (UnsyncedCount > 0 && _tail[_head].Ticket <= ticket)
        {
            _synced = _tail[_head].End;
            UnsyncedBytes -= _tail[_head].Bytes;
            _head++;
        }

        if (_head == _tail.Count)
        {
            _tail.Clear();
            _head = 0;
        }
        else if (_head > 1_024 && _head > _tail.Count / 2)
        {
            _tail.RemoveRange(0, _head);
            _head = 0;
        }
    }

    private int FloorInTail(Position position)
    {
        int low = _head, high = _tail.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_tail[middle].End <= position)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low > _head ? low - 1 : -1;
    }
}
