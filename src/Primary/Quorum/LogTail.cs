using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Ends of entries in ascending order, taken in at the end and dropped from the beginning.</summary>
internal sealed class LogTail
{
    private Position[] _ends = new Position[64]; // a ring
    private int _first;

    public int Count { get; private set; }

    public Position this[int index] => _ends[(_first + index) & (_ends.Length - 1)];

    public void Add(Position end)
    {
        if (Count == _ends.Length)
        {
            var grown = new Position[_ends.Length * 2];
            for (var i = 0; i < Count; i++)
            {
                grown[i] = this[i];
            }

            (_ends, _first) = (grown, 0);
        }

        _ends[(_first + Count) & (_ends.Length - 1)] = end;
        Count++;
    }

    /// <summary>Drops everything up to a position.</summary>
    public void DropTo(Position position)
    {
        while (Count > 0 && this[0] <= position)
        {
            _first = (_first + 1) & (_ends.Length - 1);
            Count--;
        }
    }

    /// <summary>The index of the greatest that is not above (epoch, sequence), or -1.</summary>
    public int FloorOf(Position position)
    {
        int low = 0, high = Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (this[middle] <= position)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low - 1;
    }

    /// <summary>Whether it is there, by hash.</summary>
    public bool Holds(Position position) => FloorOf(position) is var at && at >= 0 && this[at] == position;
}
