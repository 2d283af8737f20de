namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>Runs a random test; its failure names the seed, and RS_TEST_SEED repeats it.</summary>
internal static class Seeded
{
    public static bool IsFull => Environment.GetEnvironmentVariable("RS_TEST_FULL") == "1";

    public static void Run(Action<Random> test)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("RS_TEST_SEED"), out var given) ? given : Guid.NewGuid().GetHashCode();
        try
        {
            test(new Random(seed));
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"Failed with RS_TEST_SEED={seed}: {failure.Message}", failure);
        }
    }
}
