using ReplicatedSqlite.Simulation;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>What became of a story.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Findings">What must not be; none if it passed.</param>
/// <param name="Counts">Operations, answers and faults, by name.</param>
/// <param name="Kept">Where its data folders, logs and history are, if it failed.</param>
internal sealed record ChaosResult(int Seed, IReadOnlyList<Finding> Findings, IReadOnlyDictionary<string, long> Counts, string? Kept)
{
    public bool Passed => Findings.Count == 0;

    /// <summary>The counts of several stories together.</summary>
    public static IReadOnlyDictionary<string, long> Sum(IEnumerable<ChaosResult> results)
    {
        var sum = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var (name, count) in results.SelectMany(result => result.Counts))
        {
            sum[name] = sum.GetValueOrDefault(name) + count;
        }

        return sum;
    }
}
