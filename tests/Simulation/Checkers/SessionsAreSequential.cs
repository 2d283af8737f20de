namespace ReplicatedSqlite.Simulation;

/// <summary>
/// Inside a session, operations take effect in their order: read-your-writes, monotonic reads, monotonic writes, writes-follow-reads. Each read saw exactly one place
/// of the confirmed log and each answered write has one, so one walk along the session, in which places never fall, is the whole proof.
/// </summary>
internal sealed class SessionsAreSequential : IChecker
{
    public string? Check(History history, Timeline timeline)
    {
        var sessions = new Dictionary<int, List<(int Turn, int Place, bool IsWrite, string What)>>();
        foreach (var write in history.Writes)
        {
            if (write.Outcome == Outcome.Answered && timeline.PlaceOf(write.Number) is > 0 and var place)
            {
                Of(write.Session).Add((write.Turn, place, true, $"write {write.Number}"));
            }
        }

        foreach (var read in history.Reads)
        {
            if (timeline.PlaceOf(read.LastWrite) is >= 0 and var place)
            {
                Of(read.Session).Add((read.Turn, place, false, $"the read at {read.Where}"));
            }
        }

        foreach (var (session, operations) in sessions)
        {
            operations.Sort((left, right) => left.Turn.CompareTo(right.Turn));
            for (var i = 1; i < operations.Count; i++)
            {
                var (before, now) = (operations[i - 1], operations[i]);
                if (now.Place < before.Place || (now.IsWrite && now.Place == before.Place))
                {
                    return $"session {session}: {now.What} (turn {now.Turn}) is at place {now.Place}, and {before.What} (turn {before.Turn}) before it at {before.Place}";
                }
            }
        }

        return null;

        List<(int Turn, int Place, bool IsWrite, string What)> Of(int session)
        {
            if (!sessions.TryGetValue(session, out var operations))
            {
                sessions.Add(session, operations = []);
            }

            return operations;
        }
    }
}
