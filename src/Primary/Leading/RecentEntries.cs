using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>The newest entries, kept in memory: all that are unconfirmed, and some more, so that a subscriber who is a little behind needs no disk.</summary>
/// <remarks>Used under the log's lock.</remarks>
internal sealed class RecentEntries(long keptBytes)
{
    private readonly Queue<Entry> _entries = new();

    public long Bytes { get; private set; }

    public void Add(Entry entry)
    {
        _entries.Enqueue(entry);
        Bytes += entry.Encoded.Length;
    }

    /// <summary>Drops confirmed entries beyond what is kept. Unconfirmed ones stay whatever they weigh; the writer's bound limits them.</summary>
    public void Trim(Position confirmed)
    {
        while (Bytes > keptBytes && _entries.TryPeek(out var oldest) && oldest.End <= confirmed)
        {
            Bytes -= _entries.Dequeue().Encoded.Length;
        }
    }

    /// <summary>Entries right after a position, up to a number of bytes and at least one.</summary>
    /// <returns><see langword="false"/> if the position is not here.</returns>
    public bool TryRead(Position after, long maxBytes, List<Entry> entries)
    {
        var found = false;
        foreach (var entry in _entries)
        {
            found |= entry.Predecessor == after;
            if (!found)
            {
                continue;
            }

            if (maxBytes <= 0 && entries.Count > 0)
            {
                break;
            }

            entries.Add(entry);
            maxBytes -= entry.Encoded.Length;
        }

        return found;
    }
}
