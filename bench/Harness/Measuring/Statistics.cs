namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Of a few rounds.</summary>
internal static class Statistics
{
    public static double Median(this IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? 0 : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>The greatest divided by the least; 1 is no spread at all.</summary>
    public static double Spread(this IReadOnlyCollection<double> values) => values.Count == 0 ? 1 : values.Max() / values.Min();
}
