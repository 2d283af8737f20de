namespace ReplicatedSqlite.Testing;

/// <summary>Which seeds a random test runs through: a few in the usual run, many with RS_TEST_FULL=1, one with RS_TEST_SEED=n.</summary>
public static class Seeds
{
    public static bool IsFull => Environment.GetEnvironmentVariable("RS_TEST_FULL") == "1";

    public static IEnumerable<int> Of(int usual, int full) =>
        int.TryParse(Environment.GetEnvironmentVariable("RS_TEST_SEED"), out var seed) ? [seed] : Enumerable.Range(1, IsFull ? full : usual);

    /// <summary>Runs a test for each seed; a failure names its seed.</summary>
    public static void ForEach(int usual, int full, Action<int> test)
    {
        foreach (var seed in Of(usual, full))
        {
            try
            {
                test(seed);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"Seed {seed} failed; run it alone with RS_TEST_SEED={seed}. {failure.Message}", failure);
            }
        }
    }
}
