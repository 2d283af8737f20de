namespace ReplicatedSqlite.Simulation;

/// <summary>No rows, errors or bookmarks leave before what they were computed from is confirmed.</summary>
internal sealed class NothingUnconfirmedIsSeen : IChecker
{
    public string? Check(History history, Timeline timeline)
    {
        var confirmedAt = new Dictionary<Protocol.Position, long> { [Protocol.Position.Start] = long.MinValue };
        foreach (var entry in history.Confirmed)
        {
            confirmedAt.TryAdd(entry.End, entry.At);
        }

        foreach (var read in history.Reads)
        {
            var what = read.IsError ? "an error" : "a read";
            var place = timeline.PlaceOf(read.LastWrite);
            if (place < 0 || timeline.ConfirmedAt(place) > read.Ended)
            {
                return $"{what} of session {read.Session} at {read.Where} told of write {read.LastWrite} at {read.Ended}, which {(place < 0 ? "was never confirmed" : "was not confirmed yet")}";
            }

            if (timeline.PlaceOf(read.RowWrite) is var row && (row < 0 || timeline.ConfirmedAt(row) > read.Ended))
            {
                return $"{what} of session {read.Session} at {read.Where} told of write {read.RowWrite} in row {read.Row} at {read.Ended}, which was not confirmed";
            }

            if (!confirmedAt.TryGetValue(read.At, out var at) || at > read.Ended)
            {
                return $"{what} of session {read.Session} at {read.Where} was given the bookmark {read.At} at {read.Ended}, which was not confirmed";
            }
        }

        foreach (var write in history.Writes)
        {
            if (write.Outcome == Outcome.Answered && (!confirmedAt.TryGetValue(write.At, out var at) || at > write.Ended))
            {
                return $"write {write.Number} was answered with {write.At} at {write.Ended}, which was not confirmed";
            }
        }

        return null;
    }
}
