namespace ReplicatedSqlite.Simulation;

/// <summary>Whatever was sent under one idempotency key ran at most once.</summary>
internal sealed class KeysRunOnce : IChecker
{
    public string? Check(History history, Timeline timeline)
    {
        var keys = history.Writes.Where(write => write.Key >= 0).ToDictionary(write => write.Number, write => write.Key);
        var ran = new HashSet<int>();
        foreach (var write in timeline.Writes)
        {
            if (keys.TryGetValue(write, out var key) && !ran.Add(key))
            {
                return $"key {key} (write {write}) ran a second time";
            }
        }

        return null;
    }
}
