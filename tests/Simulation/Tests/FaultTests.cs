using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Simulation;

public class FaultTests
{
    private const int UsualBound = 4_000;
    private const int FullBound = 20_000;

    [Theory]
    [MemberData(nameof(Names))]
    public void A_planted_fault_is_found_by_a_checker(string name)
    {
        var fault = PlantedFault.All.Single(fault => fault.Name == name);
        Assert.SkipWhen(fault.IsRare && !Seeds.IsFull, $"It takes thousands of seeds to find '{name}': with ./test full, or ./test simulation --fault \"{name}\".");
        var bound = Seeds.IsFull ? FullBound : UsualBound;
        Assert.True(FaultTable.Search(fault, first: 1, bound) is not null, $"No checker found '{name}' in {bound} stories.");
    }

    [Fact]
    public void There_are_at_least_24_planted_faults() => Assert.True(PlantedFault.All.Select(fault => fault.Name).Distinct().Count() >= 24);

    public static TheoryData<string> Names() => [.. PlantedFault.All.Select(fault => fault.Name)];
}
