using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>A database's log as its records make it: entries behind a base, and the newest note.</summary>
internal sealed class LogState : ILogView
{
    private readonly List<Entry> _entries = [];

    public Position First { get; private set; } = Position.Start;

    public Position Last => _entries.Count == 0 ? First : _entries[^1].End;

    public FollowerNote? Note { get; private set; }

    public IReadOnlyList<Entry> Entries => _entries;

    /// <summary>The follower sets that the log names, and those that the note names for what lies before it.</summary>
    public IEnumerable<KnownSets> KnownSets
    {
        get
        {
            foreach (var known in Note?.Sets ?? [])
            {
                if (known.DecidedAt <= First)
                {
                    yield return known;
                }
            }

            foreach (var entry in _entries)
            {
                if (FollowerSets.Of(entry) is { } sets)
                {
                    yield return new(entry.End, sets);
                }
            }
        }
    }

    public LogState Copy()
    {
        var copy = new LogState { First = First, Note = Note };
        copy._entries.AddRange(_entries);
        return copy;
    }

    public void Apply(JournalRecord record)
    {
        switch (record.Kind)
        {
            case JournalRecordKind.Entry:
                if (record.Entry!.Predecessor != Last)
                {
                    throw new InvalidOperationException($"{record.Entry} was written behind {Last}; it follows {record.Entry.Predecessor}.");
                }

                _entries.Add(record.Entry);
                break;
            case JournalRecordKind.Cut:
                if (!Holds(record.Position))
                {
                    throw new InvalidOperationException($"A cut to {record.Position} was written; the log reaches from {First} to {Last} and does not hold it.");
                }

                RemoveAfter(record.Position);
                break;
            case JournalRecordKind.Base:
                if (!Holds(record.Position))
                {
                    throw new InvalidOperationException($"The base {record.Position} was written; the log reaches from {First} to {Last} and does not hold it.");
                }

                _entries.RemoveRange(0, IndexAfter(record.Position));
                First = record.Position;
                break;
            case JournalRecordKind.Start:
                _entries.Clear();
                First = record.Position;
                break;
            case JournalRecordKind.Note:
                Note = record.Note;
                break;
        }
    }

    public bool Holds(Position position)
    {
        if (position == First)
        {
            return true;
        }

        var index = IndexAfter(position) - 1;
        return index >= 0 && _entries[index].End == position;
    }

    public Position FloorOf(uint epoch, ulong sequence)
    {
        var index = IndexAfter(new(epoch, sequence, default)) - 1;
        return index < 0 ? First : _entries[index].End;
    }

    /// <summary>The entries behind a position that the log holds, up to so many bytes, but at least one.</summary>
    public List<Entry> Read(Position after, long maxBytes, Position? upTo = null)
    {
        var read = new List<Entry>();
        for (var i = after == First ? 0 : IndexAfter(after); i < _entries.Count && maxBytes > 0 && !(_entries[i].End > upTo); i++)
        {
            read.Add(_entries[i]);
            maxBytes -= _entries[i].Encoded.Length;
        }

        return read;
    }

    private void RemoveAfter(Position position)
    {
        var index = position == First ? 0 : IndexAfter(position);
        _entries.RemoveRange(index, _entries.Count - index);
    }

    // How many entries end at or before this (epoch, sequence).
    private int IndexAfter(Position position)
    {
        int low = 0, high = _entries.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_entries[middle].End <= position)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
