using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica.Tests;

/// <summary>What was confirmed, by whom ever. It only grows; every checker asks it.</summary>
internal sealed class SimulatedTruth
{
    private readonly List<SimulatedEntry> _confirmed = [];
    private readonly Dictionary<Position, int> _places = new() { [Position.Start] = 0 };

    public int Count => _confirmed.Count;

    public Position End => _confirmed.Count == 0 ? Position.Start : _confirmed[^1].End;

    public bool Holds(Position position) => _places.ContainsKey(position);

    /// <summary>How many entries lie up to here.</summary>
    public int PlaceOf(Position position) => _places.TryGetValue(position, out var place) ? place : throw new CheckFailedException($"{position} is not confirmed");

    public bool Holds(Bookmark bookmark) => bookmark == Bookmark.Start || EntryOf(bookmark) is not null;

    public SimulatedEntry? EntryOf(Bookmark bookmark) => _confirmed.Find(entry =>
        entry.End.Epoch == bookmark.Epoch && entry.FirstSequence <= bookmark.Sequence && bookmark.Sequence <= entry.End.Sequence
        && entry.End.Hash.Tag == bookmark.EntryTag);

    /// <summary>A leader confirmed its log up to a position.</summary>
    public void Confirm(IReadOnlyList<SimulatedEntry> log, Position upTo)
    {
        for (var i = 0; i < log.Count && log[i].End <= upTo; i++)
        {
            if (i < _confirmed.Count)
            {
                Check.That(_confirmed[i] == log[i], $"two entries are confirmed at one place: {_confirmed[i].End} and {log[i].End}");
                continue;
            }

            _confirmed.Add(log[i]);
            _places.Add(log[i].End, _confirmed.Count);
        }
    }

    /// <summary>A copy's entries are exactly the first of the confirmed ones.</summary>
    public bool IsPrefix(IReadOnlyList<SimulatedEntry> entries, int count)
    {
        if (count > _confirmed.Count)
        {
            return false;
        }

        // Each position carries the hash over everything before it, so the last one speaks for all.
        return count == 0 || (entries[count - 1] == _confirmed[count - 1] && entries[0] == _confirmed[0]);
    }
}

/// <summary>A checker found something.</summary>
internal sealed class CheckFailedException(string message) : Exception(message);

/// <summary>Assertions that cost nothing to pass.</summary>
internal static class Check
{
    public static void That(bool holds, FormattableString what)
    {
        if (!holds)
        {
            throw new CheckFailedException(FormattableString.Invariant(what));
        }
    }
}
