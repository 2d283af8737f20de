using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

public sealed class RestorationPlanTests
{
    [Fact]
    public void Names_that_were_swapped_are_swapped_again()
    {
        var plan = RestorationPlan.Make(Found([Make(1, "a"), Make(2, "b"), Make(3, "c")]), Remembered([Make(1, "b", 1), Make(2, "c", 1), Make(3, "a", 1)]));
        Assert.Equal(["1 b", "2 c", "3 a"], Apply([Make(1, "a"), Make(2, "b"), Make(3, "c")], plan));
        Assert.Equal(0, plan.Renamed);
    }

    [Fact]
    public void A_name_stays_with_who_has_it()
    {
        var plan = RestorationPlan.Make(Found([Make(1, "a")]), Remembered([Make(2, "a")]));
        Assert.Equal(["1 a", $"2 a-recovered-{Id(2).Value:n}"], Apply([Make(1, "a")], plan));
        Assert.Equal(1, plan.Renamed);
    }

    [Fact]
    public void The_greater_revision_names_and_the_greater_epoch_leads()
    {
        var found = Make(1, "found", revision: 5) with { Epoch = 3, PrimaryNode = "found" };
        var known = Make(1, "known", revision: 4) with { Epoch = 7, PrimaryNode = "known" };
        var step = Assert.Single(RestorationPlan.Make(Found([found]), Remembered([known])).Steps);
        Assert.Equal(("found", 7u, "known"), (step.New!.Name, step.New.Epoch, step.New.PrimaryNode));
    }

    [Fact]
    public void Deletions_are_final_on_both_sides()
    {
        var plan = RestorationPlan.Make(
            new LoadedCatalogue(9, [(Id(1), Make(1, "back"), 5)], new Dictionary<DatabaseId, long> { [Id(2)] = 4 }),
            [new(Id(1), null, 7), new(Id(2), Make(2, "gone"), 3), new(Id(3), null, 7)]);
        Assert.Equal(new RestorationStep(Id(1), "back", null), Assert.Single(plan.Steps));
        Assert.Equal([Id(3)], plan.Deletions);
    }

    [Fact]
    public void Whatever_nodes_remember_in_whatever_order_all_databases_are_there_under_one_name_each() => Seeds.ForEach(300, 20_000, seed =>
    {
        var random = new Random(seed);
        var catalogue = Records(random);
        var memories = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Records(random)).ToList();
        var expected = catalogue.Concat(memories.SelectMany(memory => memory)).Select(record => record.Id).ToHashSet();
        foreach (var memory in memories)
        {
            var plan = RestorationPlan.Make(Found(catalogue), Remembered(memory));
            Apply(catalogue, plan);
            catalogue = Result(catalogue, plan);
            Assert.Empty(RestorationPlan.Make(Found(catalogue), Remembered(memory)).Steps);
            Assert.All(memory, record => Assert.True(catalogue.Single(now => now.Id == record.Id).Epoch >= record.Epoch));
        }

        Assert.Equal(expected, [.. catalogue.Select(record => record.Id)]);
        Assert.Equal(catalogue.Count, catalogue.Select(record => record.Name).Distinct().Count());
    });

    private static List<DatabaseRecord> Records(Random random)
    {
        var names = Enumerable.Range(0, 6).Select(i => ((char)('a' + i)).ToString()).ToArray();
        random.Shuffle(names);
        return [.. Enumerable.Range(1, 6).Where(_ => random.Next(3) > 0).Select(i => Make(i, names[i - 1], random.Next(4)) with { Epoch = (uint)random.Next(5) })];
    }

    // Carries the steps out as etcd would, which refuses a name that is taken.
    private static List<DatabaseRecord> Result(List<DatabaseRecord> before, RestorationPlan plan)
    {
        var records = before.ToDictionary(record => record.Id);
        foreach (var step in plan.Steps)
        {
            Assert.Equal(step.OldName, records.GetValueOrDefault(step.Id)?.Name);
            if (step.New is { } record)
            {
                Assert.DoesNotContain(records.Values, other => other.Id != record.Id && other.Name == record.Name);
                records[step.Id] = record;
            }
            else
            {
                records.Remove(step.Id);
            }
        }

        return [.. records.Values];
    }

    private static IEnumerable<string> Apply(List<DatabaseRecord> before, RestorationPlan plan) =>
        Result(before, plan).Select(record => $"{Enumerable.Range(1, 9).Single(i => Id(i) == record.Id)} {record.Name}").Order(StringComparer.Ordinal);

    private static LoadedCatalogue Found(IEnumerable<DatabaseRecord> records) =>
        new(100, [.. records.Select(record => (record.Id, (DatabaseRecord?)record, 50L))], new Dictionary<DatabaseId, long>());

    private static List<RememberedDatabase> Remembered(IEnumerable<DatabaseRecord> records) => [.. records.Select(record => new RememberedDatabase(record.Id, record, 60))];

    private static DatabaseId Id(int number) => ControlPlaneContract.Database(number, "").Id;

    private static DatabaseRecord Make(int number, string name, long revision = 0) => ControlPlaneContract.Database(number, name) with { Revision = revision, NameRevision = revision };
}
