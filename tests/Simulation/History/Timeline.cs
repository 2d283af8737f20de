using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>The confirmed log of a story, put together from what the leaderships confirmed. Places count writes from 1; place 0 is the empty database.</summary>
internal sealed class Timeline
{
    private readonly Dictionary<int, int> _places = []; // by write; of its first execution
    private readonly Dictionary<Position, int> _ends = new() { [Position.Start] = 0 };
    private readonly Dictionary<int, List<int>> _rows = []; // by row: the places of its writes
    private readonly List<int> _writes = [0];
    private readonly List<long> _confirmedAt = [long.MinValue];

    public Timeline(History history)
    {
        var bySequence = new SortedDictionary<ulong, ConfirmedEntry>();
        foreach (var entry in history.Confirmed)
        {
            bySequence.TryAdd(entry.End.Sequence, entry);
        }

        foreach (var entry in bySequence.Values)
        {
            for (var i = 0; i < entry.Writes.Count; i++)
            {
                _writes.Add(entry.Writes[i]);
                _confirmedAt.Add(entry.At);
                var place = _writes.Count - 1;
                _places.TryAdd(entry.Writes[i], place);
                if (!_rows.TryGetValue(entry.Rows[i], out var places))
                {
                    _rows.Add(entry.Rows[i], places = []);
                }

                places.Add(place);
            }

            _ends.TryAdd(entry.End, _writes.Count - 1);
            Entries.Add(entry);
        }
    }

    public List<ConfirmedEntry> Entries { get; } = [];

    /// <summary>The numbers of the writes in order; a write that was executed twice is there twice.</summary>
    public IEnumerable<int> Writes => _writes.Skip(1);

    public int Last => _writes.Count - 1;

    /// <summary>Where a write stands; -1 if it was never confirmed. Write 0 stands at place 0.</summary>
    public int PlaceOf(int write) => write == 0 ? 0 : _places.GetValueOrDefault(write, -1);

    /// <summary>How many writes lie up to a confirmed entry's end; -1 if there is no such entry.</summary>
    public int PlaceOf(Position end) => _ends.GetValueOrDefault(end, -1);

    public long ConfirmedAt(int place) => _confirmedAt[place];

    /// <summary>The write whose value a row holds at a place.</summary>
    public int RowAt(int row, int place)
    {
        if (!_rows.TryGetValue(row, out var places))
        {
            return 0;
        }

        var index = places.BinarySearch(place);
        index = index >= 0 ? index : ~index - 1;
        return index < 0 ? 0 : _writes[places[index]];
    }
}
