using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Simulation;

public class VariantTests
{
    // The fault "an Append of a higher epoch is no promise" is the same story with followers for which it is none: a core that stopped making a promise of it fails here, after about 30 seeds.
    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_done_otherwise_and_as_safe_ends_without_a_finding(string name)
    {
        var run = StoryRunner.Run(Seeds.Of(usual: 400, full: 20_000), plant: PlantedFault.Named(name));
        Assert.True(
            run.Failed.Count == 0,
            run.Failed is [var (seed, what), ..] ? $"Seed {seed} of {run.Failed.Count} that failed; run it alone with ./test simulation --seed {seed} --story --plant \"{name}\". {what}" : "");
        Assert.True(run.Passed > 0);
    }

    public static TheoryData<string> Names() => [.. PlantedFault.Variants.Select(variant => variant.Name)];
}
