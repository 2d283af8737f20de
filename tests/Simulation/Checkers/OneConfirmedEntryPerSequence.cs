using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>For each sequence there is one confirmed (epoch, hash), whoever confirmed it, and each entry follows the one before.</summary>
internal sealed class OneConfirmedEntryPerSequence : IChecker
{
    public string? Check(History history, Timeline timeline)
    {
        var bySequence = new Dictionary<ulong, ConfirmedEntry>();
        foreach (var entry in history.Confirmed)
        {
            for (var sequence = entry.FirstSequence; sequence <= entry.End.Sequence; sequence++)
            {
                if (!bySequence.TryAdd(sequence, entry) && bySequence[sequence].End != entry.End)
                {
                    return $"sequence {sequence} is confirmed as {bySequence[sequence].End} by {bySequence[sequence].By} and as {entry.End} by {entry.By} at {entry.At}";
                }
            }
        }

        var end = Position.Start;
        foreach (var entry in timeline.Entries)
        {
            if (entry.Predecessor != end)
            {
                return $"{entry.End} is confirmed behind {entry.Predecessor}; the confirmed entry before it is {end}";
            }

            end = entry.End;
        }

        return null;
    }
}
