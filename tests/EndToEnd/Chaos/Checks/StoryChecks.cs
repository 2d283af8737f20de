using ReplicatedSqlite.Simulation;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A row of the log table, as every copy has it in the end.</summary>
internal readonly record struct LoggedWrite(int Write, int Row);

/// <summary>Judges what a story's clients saw, by the simulation's checkers and by what else can be told from outside.</summary>
internal static class StoryChecks
{
    /// <summary>So much longer than a simulated cluster may one of processes take to come back, on a machine that others use too.</summary>
    private const int Slowness = 5;

    /// <param name="seen">By the clients.</param>
    /// <param name="log">The rows in the end; the first has place 1.</param>
    /// <param name="copies">Each copy's pages in the end, as hashes, and how many rows it shows.</param>
    /// <param name="healing">When writes were answered again, and all copies had everything.</param>
    /// <param name="contradictions">What nodes logged that must not be.</param>
    public static IReadOnlyList<Finding> Check(
        ChaosHistory seen, IReadOnlyList<LoggedWrite> log, IReadOnlyList<(string Copy, int Place, IReadOnlyList<byte[]> Pages)> copies, Healing healing, IEnumerable<Contradiction> contradictions)
    {
        var history = new History
        {
            Healing = healing with { WroteAgain = Shorter(healing, healing.WroteAgain), Converged = Shorter(healing, healing.Converged) },
        };
        var begun = seen.Writes.ToDictionary(write => write.Number, write => write.Begun);
        var places = new Dictionary<int, int>();
        for (var place = 1; place <= log.Count; place++)
        {
            var (write, row) = log[place - 1];
            places.TryAdd(write, place);
            history.Confirmed.Add(new(ChaosPlace.Of(place), ChaosPlace.Of(place - 1), (ulong)place, [write], [row], default, begun.GetValueOrDefault(write, long.MaxValue)));
        }

        foreach (var write in seen.Writes)
        {
            if (write.Outcome == Outcome.Answered && write.At == default && places.TryGetValue(write.Number, out var place))
            {
                write.At = ChaosPlace.Of(place); // the answer did not name it
            }

            history.Writes.Add(write);
        }

        history.Reads.AddRange(seen.Reads);
        history.Contradictions.AddRange(contradictions);
        foreach (var (copy, place, pages) in copies)
        {
            history.Images.Add(new(copy, ChaosPlace.Of(place), [.. pages]));
            history.Finals.Add(new(copy, ChaosPlace.Of(place), []));
        }

        return [.. AllCheckers.Check(history), .. Own(seen, places)];
    }

    private static long Shorter(Healing healing, long moment) => moment < 0 ? moment : healing.Healed + ((moment - healing.Healed) / Slowness);

    private static IEnumerable<Finding> Own(ChaosHistory seen, Dictionary<int, int> places)
    {
        if (seen.Unexpected is [var unexpected, ..])
        {
            yield return new("NoUnexpectedAnswers", $"{unexpected} (one of {seen.Unexpected.Count})");
        }

        foreach (var write in seen.Writes)
        {
            if (write.Outcome == Outcome.Answered && places.TryGetValue(write.Number, out var place) && write.At != ChaosPlace.Of(place))
            {
                yield return new("PlacesStay", $"write {write.Number} was answered with place {write.At.Sequence} and stands at place {place}");
                yield break;
            }
        }

        if (BookmarkFault(seen.Bookmarks) is { } fault)
        {
            yield return new("BookmarksNameOneState", fault);
        }
    }

    /// <summary>For each sequence one epoch and one hash were given out; epochs grow with sequences; and a bookmark lies at or after all that was seen with it.</summary>
    internal static string? BookmarkFault(IReadOnlyList<SeenBookmark> bookmarks)
    {
        var byOrder = bookmarks.Where(seen => seen.Bookmark.Sequence > 0).OrderBy(seen => seen.Bookmark.Sequence).ToList();
        for (var i = 1; i < byOrder.Count; i++)
        {
            var (before, now) = (byOrder[i - 1].Bookmark, byOrder[i].Bookmark);
            if (before.Sequence == now.Sequence ? before != now : before.Epoch > now.Epoch)
            {
                return $"{before} and {now} were both given out";
            }
        }

        // By place: a write's own sequence, which whoever saw that place or a later one has reached.
        var writes = byOrder.Where(seen => seen.IsWrite).ToList();
        for (var i = 1; i < writes.Count; i++)
        {
            if (writes[i].Place <= writes[i - 1].Place)
            {
                return $"{writes[i - 1].Bookmark} is place {writes[i - 1].Place} and {writes[i].Bookmark} is place {writes[i].Place}";
            }
        }

        foreach (var seen in byOrder.Where(seen => seen.Place > 0))
        {
            var at = Last(writes, seen.Place);
            if (at is not null && at.Bookmark.Sequence > seen.Bookmark.Sequence)
            {
                return $"place {seen.Place} was seen with {seen.Bookmark}, and place {at.Place} is {at.Bookmark}";
            }
        }

        return null;
    }

    // The last of the writes at or before a place.
    private static SeenBookmark? Last(List<SeenBookmark> writes, int place)
    {
        var (low, high) = (0, writes.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = writes[middle].Place <= place ? (middle + 1, high) : (low, middle);
        }

        return low == 0 ? null : writes[low - 1];
    }
}
