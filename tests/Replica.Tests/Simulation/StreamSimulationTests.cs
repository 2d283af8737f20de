using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Replica.Tests;

public class StreamSimulationTests
{
    [Fact]
    public void Copies_follow_the_confirmed_log_through_takeovers_restarts_and_slow_streams() =>
        Seeds.ForEach(usual: 400, full: 20_000, seed => new StreamSimulation(seed).Run(steps: 3000));

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_planted_fault_is_found(string name)
    {
        var fault = Enum.Parse<Fault>(name);
        for (var seed = 1; seed <= 300; seed++)
        {
            try
            {
                new StreamSimulation(seed, fault).Run(steps: 3000);
            }
            catch (Exception found) when (found is CheckFailedException or InvalidOperationException or ArgumentException)
            {
                return;
            }
        }

        Assert.Fail($"Nothing noticed the fault '{fault}' in 300 runs.");
    }

    public static TheoryData<string> Faults() => [.. Enum.GetNames<Fault>().Where(name => name != nameof(Fault.None))];
}
