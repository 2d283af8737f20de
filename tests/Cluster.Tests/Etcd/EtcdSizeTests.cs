using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

/// <summary>Many databases: 10,000, and 100,000 with RS_TEST_FULL=1.</summary>
public sealed class EtcdSizeTests : EtcdTest
{
    [Fact]
    public async Task Many_databases_are_told_to_a_wiped_etcd_and_loaded_from_it_in_bounded_messages()
    {
        var count = Seeds.IsFull ? 100_000 : 10_000;
        await using var server = await EtcdServer.StartAsync();
        var options = Options("first", server.Endpoint) with { AnswerPatience = TimeSpan.FromSeconds(5), CallPatience = TimeSpan.FromSeconds(20) };
        await using (await ConnectAsync(options))
        {
        }

        using (var memory = ControlMemory.Open(options.MemoryPath))
        {
            memory.Save(memory.Facts!, [.. Enumerable.Range(0, count).Select(i => new RememberedDatabase(Typical(i).Id, Typical(i), i + 1))]);
        }

        var watching = await ConnectAsync(options with { MemoryPath = FileOf("watching.sqlite") });
        await server.KillAsync();
        server.Wipe();
        await server.StartAsync();
        await UntilAsync(() => watching.Trouble is not null, "it is noticed");
        var start = TimeProvider.System.GetTimestamp();
        var first = await ConnectAsync(options with { AcceptRestored = true });
        TestContext.Current.SendDiagnosticMessage($"{count} databases: told to a wiped etcd in {TimeProvider.System.GetElapsedTime(start).TotalMilliseconds:F0} ms");
        await UntilAsync(() => watching.List("", "", count + 1).Count == count, "the others have them too");

        var before = GC.GetTotalMemory(forceFullCollection: true);
        start = TimeProvider.System.GetTimestamp();
        var loaded = await ConnectAsync(options with { MemoryPath = FileOf("loaded.sqlite") });
        var took = TimeProvider.System.GetElapsedTime(start);
        var bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.Equal(count, loaded.List("", "", count + 1).Count);
        Assert.Equal(StoredDatabase.EncodeText(Typical(count - 1)), StoredDatabase.EncodeText(loaded.Find($"customer-{count - 1:d6}")!));
        TestContext.Current.SendDiagnosticMessage($"{count} databases: loaded in {took.TotalMilliseconds:F0} ms, {bytes / count} bytes each");
        Assert.True(bytes < count * 1000L, $"{bytes / count} bytes a database");

        await first.CreateAsync(Typical(count));
        await UntilAsync(() => watching.Find(Typical(count).Name) is not null && loaded.Find(Typical(count).Name) is not null, "the watches go on");
    }

    private static DatabaseRecord Typical(int number) => Database(number, $"customer-{number:d6}") with
    {
        PrimaryNode = "weur-0123456789ab", ReplicaRegions = ["weur", "enam", "apac"], Epoch = 1, Quorum = 2,
        Followers = [.. Enumerable.Range(1, 3).Select(i => new FollowerPlace(new Guid(i, 0, 0, new byte[8]), $"weur-{i:d12}"))],
    };
}
