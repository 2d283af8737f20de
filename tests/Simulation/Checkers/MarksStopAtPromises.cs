using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Simulation;

/// <summary>Once R followers promised a later leadership, no mark of an earlier one goes beyond what Q of them had on disk before their promises.</summary>
internal sealed class MarksStopAtPromises : IChecker
{
    public string? Check(History history, Timeline timeline)
    {
        if (history.Marks.Count == 0)
        {
            return null;
        }

        var promises = history.Promises.ToLookup(promise => promise.Journal);
        var onDisk = new Dictionary<(Guid, Protocol.Position), long>();
        foreach (var entry in history.OnDisk)
        {
            onDisk.TryAdd((entry.Journal, entry.End), entry.At);
        }

        foreach (var mark in history.Marks)
        {
            var set = mark.Sets.Current;
            var fenced = set.Members.ToDictionary(member => member, member => FencedAt(promises[member], mark.By));
            if (fenced.Values.Count(at => at < mark.At) < set.SealQuorum)
            {
                continue;
            }

            var had = set.Members.Count(member => onDisk.TryGetValue((member, mark.To), out var at) && at <= fenced[member]);
            if (had < set.Quorum)
            {
                return $"{mark.By} confirmed {mark.To} at {mark.At}, when {fenced.Values.Count(at => at < mark.At)} of {set} had promised another leadership, and only {had} had it on disk before";
            }
        }

        return null;
    }

    private static long FencedAt(IEnumerable<PromiseOnDisk> promises, Promise leadership)
    {
        foreach (var promise in promises)
        {
            if (promise.Promise.Refuses(leadership))
            {
                return promise.At;
            }
        }

        return long.MaxValue;
    }
}
