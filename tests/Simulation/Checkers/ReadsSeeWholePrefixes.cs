namespace ReplicatedSqlite.Simulation;

/// <summary>A read sees the first writes of the confirmed log, all of them up to one place, and its bookmark lies at or after that place.</summary>
internal sealed class ReadsSeeWholePrefixes : IChecker
{
    public string? Check(History history, Timeline timeline)
    {
        foreach (var read in history.Reads)
        {
            var place = timeline.PlaceOf(read.LastWrite);
            if (place < 0)
            {
                continue; // another rule's finding
            }

            var row = timeline.RowAt(read.Row, place);
            if (row != read.RowWrite)
            {
                return $"a read of session {read.Session} at {read.Where} saw write {read.RowWrite} in row {read.Row} though it saw everything up to {read.LastWrite}; {row} was wanted";
            }

            if (timeline.PlaceOf(read.At) is >= 0 and var end && end < place)
            {
                return $"a read of session {read.Session} at {read.Where} saw write {read.LastWrite} and got the bookmark {read.At}, which lies before it";
            }
        }

        return null;
    }
}
