using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Simulation;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>
/// Reads the journals of a database's followers, which have stopped: a quorum holds all that was given out; in those for each sequence one (epoch, hash), each entry
/// behind the one before it; and each bookmark that was given out names one of them.
/// </summary>
internal static class JournalChecks
{
    private const long ReadBytes = 8 << 20;

    /// <param name="database">Whose log.</param>
    /// <param name="followers">Their journals, by node.</param>
    /// <param name="bookmarks">That clients were given.</param>
    public static async Task<IReadOnlyList<Finding>> CheckAsync(DatabaseId database, IReadOnlyList<(string Node, string Folder)> followers, IReadOnlyList<SeenBookmark> bookmarks)
    {
        var newest = bookmarks.Max(seen => seen.Bookmark);
        var entries = new SortedDictionary<ulong, (Position End, ulong First, Position Predecessor, string Node)>();
        var (holders, found) = (0, new List<string>());
        foreach (var (node, folder) in followers)
        {
            var (start, log) = await ReadAsync(database, folder);
            found.Add($"{node} from {start} to {(log.Count > 0 ? log[^1].End : start)}");
            var at = log.LastOrDefault(entry => entry.Header.FirstSequence <= newest.Sequence)?.End ?? start; // all of it may have been trimmed
            var isTrimmed = start.Sequence > newest.Sequence; // only what is confirmed is
            if (!isTrimmed && (at.Sequence < newest.Sequence || (at.Epoch, at.Hash.Tag) != (newest.Epoch, newest.EntryTag)))
            {
                continue; // it had not been brought to the log again, and may end with what was never confirmed
            }

            holders++;
            foreach (var entry in log.TakeWhile(entry => entry.Header.FirstSequence <= newest.Sequence))
            {
                var first = entry.Header.FirstSequence;
                if (!entries.TryAdd(entry.End.Sequence, (entry.End, first, entry.Predecessor, node)) && entries[entry.End.Sequence] is var other && (other.End != entry.End || other.First != first))
                {
                    return [new("JournalsAgree", $"{other.Node} holds {other.End} from sequence {other.First} on, {node} holds {entry.End} from {first} on")];
                }
            }
        }

        if (holders <= followers.Count / 2)
        {
            return [new("QuorumHoldsAnswers", $"{newest} was given out, and {holders} of {followers.Count} followers' journals hold it: {string.Join("; ", found)}")];
        }

        Position? end = null;
        foreach (var entry in entries.Values)
        {
            if (end is { } before && entry.Predecessor != before)
            {
                return [new("JournalsAgree", $"{entry.End} at {entry.Node} follows {entry.Predecessor}; the entry before it is {before}")];
            }

            end = entry.End;
        }

        var ends = entries.Keys.ToArray();
        foreach (var seen in bookmarks)
        {
            var index = Array.BinarySearch(ends, seen.Bookmark.Sequence);
            index = index < 0 ? ~index : index;
            if (index == ends.Length)
            {
                continue; // trimmed, since a quorum holds the newest
            }

            var entry = entries[ends[index]];
            if (entry.First <= seen.Bookmark.Sequence && (entry.End.Epoch != seen.Bookmark.Epoch || entry.End.Hash.Tag != seen.Bookmark.EntryTag))
            {
                return [new("BookmarksNameEntries", $"{seen.Bookmark} was given out, and the entry there is {entry.End}")];
            }
        }

        return [];
    }

    private static async Task<(Position Start, IReadOnlyList<Entry> Log)> ReadAsync(DatabaseId database, string folder)
    {
        await using var journal = NodeJournal.Open(folder, new JournalOptions(), new FileSystemDisk(), new Random(1));
        var entries = new List<Entry>();
        var start = journal.FirstOf(database);
        for (var after = start; journal.ReadFrom(database, after, ReadBytes) is { Count: > 0 } read; after = read[^1].End)
        {
            entries.AddRange(read);
        }

        return (start, entries);
    }
}
