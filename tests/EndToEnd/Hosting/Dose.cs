namespace ReplicatedSqlite.EndToEnd;

/// <summary>How much a test does: a short dose usually, the long one with RS_TEST_FULL=1. And where its chance comes from.</summary>
internal static class Dose
{
    public static bool IsFull { get; } = Environment.GetEnvironmentVariable("RS_TEST_FULL") == "1";

    public static int Of(int usual, int full) => IsFull ? full : usual;

    /// <summary>Another seed each run, or the one in RS_TEST_SEED. Written out, so that a failure shows it.</summary>
    public static int Seed()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("RS_TEST_SEED"), out var given) ? given : Environment.TickCount & 0x7fffffff;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}: run with RS_TEST_SEED={seed} for the same choices");
        return seed;
    }
}
