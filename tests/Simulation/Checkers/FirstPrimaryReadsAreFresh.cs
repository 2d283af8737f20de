namespace ReplicatedSqlite.Simulation;

/// <summary>The first read of a first-primary session contains every write that was answered, and everything that was read, before it began.</summary>
internal sealed class FirstPrimaryReadsAreFresh : IChecker
{
    public string? Check(History history, Timeline timeline)
    {
        var ended = new List<(long At, int Place, string What)>();
        foreach (var write in history.Writes)
        {
            if (write.Outcome == Outcome.Answered && timeline.PlaceOf(write.Number) is > 0 and var place)
            {
                ended.Add((write.Ended, place, $"write {write.Number}"));
            }
        }

        foreach (var read in history.Reads)
        {
            if (timeline.PlaceOf(read.LastWrite) is > 0 and var place)
            {
                ended.Add((read.Ended, place, $"a read of write {read.LastWrite} at {read.Where}"));
            }
        }

        ended.Sort();
        var next = 0;
        var newest = (At: 0L, Place: 0, What: "nothing");
        foreach (var read in history.Reads.Where(read => read.IsFirstPrimary).OrderBy(read => read.Begun))
        {
            for (; next < ended.Count && ended[next].At < read.Begun; next++)
            {
                newest = ended[next].Place > newest.Place ? ended[next] : newest;
            }

            if (timeline.PlaceOf(read.LastWrite) is >= 0 and var saw && saw < newest.Place)
            {
                return $"the first read of session {read.Session} at {read.Where} began at {read.Begun} and saw place {saw}; {newest.What} at place {newest.Place} was answered at {newest.At}";
            }
        }

        return null;
    }
}
