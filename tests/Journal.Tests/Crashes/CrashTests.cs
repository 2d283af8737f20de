namespace ReplicatedSqlite.Journal.Tests;

public sealed class CrashTests
{
    private static readonly int _seeds = Environment.GetEnvironmentVariable("RS_TEST_FULL") == "1" ? 6_000 : 600;

    [Fact]
    public void After_any_end_the_journal_holds_a_prefix_of_the_calls_with_all_that_was_acknowledged()
    {
        var failures = new System.Collections.Concurrent.ConcurrentQueue<string>();
        Parallel.For(0, _seeds, seed =>
        {
            try
            {
                new CrashSimulation(seed).Run(lives: 8);
            }
            catch (Exception exception)
            {
                failures.Enqueue($"Seed {seed}: {exception}");
            }
        });
        Assert.True(failures.IsEmpty, $"{failures.Count} of {_seeds} seeds failed. {failures.Order().FirstOrDefault()}");
    }
}
