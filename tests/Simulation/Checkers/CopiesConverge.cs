namespace ReplicatedSqlite.Simulation;

/// <summary>After everything is whole again, every copy and every follower's log holds every answered write, and what it holds is the confirmed log.</summary>
internal sealed class CopiesConverge : IChecker
{
    public string? Check(History history, Timeline timeline)
    {
        var answered = history.Writes.Where(write => write.Outcome == Outcome.Answered).Select(write => timeline.PlaceOf(write.Number)).DefaultIfEmpty().Max();
        var confirmed = timeline.Entries.Select(entry => entry.End).ToHashSet();
        foreach (var copy in history.Finals)
        {
            var place = timeline.PlaceOf(copy.At);
            if (place < answered)
            {
                return $"{copy.Copy} stands at {copy.At} (place {place}); writes up to place {answered} were answered";
            }

            foreach (var position in copy.Positions)
            {
                if (!confirmed.Contains(position))
                {
                    return $"{copy.Copy} holds {position}, which was never confirmed";
                }
            }
        }

        return null;
    }
}
