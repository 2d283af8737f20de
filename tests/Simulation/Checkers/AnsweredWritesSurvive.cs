namespace ReplicatedSqlite.Simulation;

/// <summary>An answered write is in the confirmed log once, at the place that its bookmark names; one of unknown outcome at most once; one that failed not at all.</summary>
internal sealed class AnsweredWritesSurvive : IChecker
{
    public string? Check(History history, Timeline timeline)
    {
        var counts = new Dictionary<int, int>();
        foreach (var write in timeline.Writes)
        {
            counts[write] = counts.GetValueOrDefault(write) + 1;
        }

        foreach (var write in history.Writes)
        {
            var count = counts.GetValueOrDefault(write.Number);
            var wanted = write.Outcome switch { Outcome.Answered => "once", Outcome.NothingDone => "never", _ => "at most once" };
            if (count > 1 || (write.Outcome == Outcome.Answered && count == 0) || (write.Outcome == Outcome.NothingDone && count > 0))
            {
                return $"write {write.Number} of session {write.Session} (answered at {write.At}) is {count} times in the confirmed log; {wanted} was wanted";
            }

            if (write.Outcome == Outcome.Answered && timeline.PlaceOf(write.At) is var end && (end < 0 || timeline.PlaceOf(write.Number) > end))
            {
                return $"write {write.Number} was answered with {write.At}, which {(end < 0 ? "is not in the confirmed log" : "lies before it")}";
            }
        }

        return null;
    }
}
