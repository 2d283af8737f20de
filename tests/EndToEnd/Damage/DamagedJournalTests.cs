using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A journal that was damaged while the cluster was stopped: told by name and offset, or a clean cut of a tail that nobody was answered for. Two others have the log.</summary>
public sealed class DamagedJournalTests
{
    private const string Sum = "SELECT count(*) || ' ' || sum(x) FROM t";

    [Fact]
    public async Task A_flipped_bit_is_told_with_file_and_offset_and_the_other_followers_have_everything()
    {
        var random = new Random(Dose.Seed());
        await using var cluster = await StartAsync();
        var told = 0;
        for (var i = 0; i < Dose.Of(6, 60); i++)
        {
            var journal = await StopAsync(cluster);
            var used = FileDamage.UsedLength(journal);
            var (offset, bit) = (random.NextInt64(used), random.Next(8));
            FileDamage.FlipBit(journal, offset, bit);
            if (await IsToldAsync(cluster, journal, $"bit {bit} at {offset} of {used}"))
            {
                told++;
                FileDamage.FlipBit(journal, offset, bit); // the journal was left as it was
            }
        }

        Assert.True(told > 0, "No flipped bit was noticed.");
        await CheckAsync(cluster, "after all damage was undone");
    }

    [Fact]
    public async Task A_truncated_journal_is_told_and_left_as_it_is_and_the_other_followers_have_everything()
    {
        var random = new Random(Dose.Seed());
        await using var cluster = await StartAsync();
        foreach (var part in (double[])[0, 0.0001, 0.01, random.NextDouble(), 0.9999])
        {
            var journal = await StopAsync(cluster);
            var whole = await File.ReadAllBytesAsync(journal);
            var length = (long)(FileDamage.UsedLength(journal) * part);
            FileDamage.Truncate(journal, length);
            Assert.True(await IsToldAsync(cluster, journal, $"cut at {length}"), $"A journal cut at {length} was accepted.");
            Assert.Equal(length, new FileInfo(journal).Length);
            await File.WriteAllBytesAsync(journal, whole);
        }

        await CheckAsync(cluster, "after all damage was undone");
    }

    [Fact]
    public async Task A_torn_tail_is_cut_off_and_everything_answered_is_kept()
    {
        var random = new Random(Dose.Seed());
        await using var cluster = await StartAsync();
        for (var i = 0; i < 5; i++)
        {
            var journal = await StopAsync(cluster);
            var used = (int)FileDamage.UsedLength(journal);
            var tail = i % 2 == 0
                ? FileDamage.Garbage(random, random.Next(1, 100_000))
                : (await File.ReadAllBytesAsync(journal))[(used / 2)..random.Next(used / 2 + 1, used)]; // pieces of real groups, in the wrong place
            FileDamage.Overwrite(journal, used + random.Next(0, 64), tail);
            await cluster.StartAgainAsync();
            await CheckRunningAsync(cluster, $"after a torn tail ({i})");
            await cluster.Database(0, "other").ExecuteAsync("UPDATE t SET x = x");
        }
    }

    [Fact]
    public async Task A_damaged_journal_that_is_moved_away_is_replaced_by_a_new_one_that_counts()
    {
        await using var cluster = await StartAsync();
        var journal = await StopAsync(cluster);
        FileDamage.FlipBit(journal, FileDamage.UsedLength(journal) / 2, 3);
        await cluster.StartAgainAsync();
        var before = cluster.Followers("main");
        await CheckRunningAsync(cluster, "with a damaged journal");
        Assert.Contains(cluster.Log.Errors, error => error.Contains("keeps no log durable", StringComparison.Ordinal));

        await cluster.StopNodeAsync(ClusterFixture.Enam);
        Directory.Move(cluster.JournalFolder(ClusterFixture.Enam), cluster.JournalFolder(ClusterFixture.Enam) + "-damaged");
        await cluster.StartNodeAsync(ClusterFixture.Enam);
        foreach (var name in (string[])["main", "other"])
        {
            await Eventually.TrueAsync(
                () => Task.FromResult(cluster.Followers(name).Count == 3 && !cluster.Followers(name).Intersect(before).Order().SequenceEqual(before.Order())),
                $"the new journal follows {name}");
        }

        await cluster.StopNodeAsync(ClusterFixture.Weur); // the quorum needs the new journal now
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    await cluster.Database(ClusterFixture.Apac, "main").ExecuteAsync("UPDATE t SET x = x");
                    return true;
                }
                catch (ReplicatedSqliteException)
                {
                    return false; // somebody else is about to lead
                }
            },
            "the new journal makes the quorum");
        Assert.Equal("20 210", await cluster.Database(ClusterFixture.Apac, "main").WithSession(Session.FirstPrimary).QueryScalarAsync<string>(Sum));
    }

    private static async Task<ClusterFixture> StartAsync()
    {
        var cluster = await ClusterFixture.StartAsync();
        foreach (var name in (string[])["main", "other"])
        {
            await cluster.Client(0).Admin.CreateDatabaseAsync(name);
            await cluster.Database(0, name).ExecuteAsync("CREATE TABLE t (x)");
            for (var i = 1; i <= 20; i++)
            {
                await cluster.Database(0, name).ExecuteAsync("INSERT INTO t VALUES (?)", [i]);
            }
        }

        return cluster;
    }

    private static async Task<string> StopAsync(ClusterFixture cluster)
    {
        await cluster.StopAsync();
        return Directory.EnumerateFiles(cluster.JournalFolder(0)).Where(file => new FileInfo(file).Length > 1 << 20 && FileDamage.UsedLength(file) > 4096).Order().Last();
    }

    /// <summary>Starts with a damaged journal: whatever the node says of it, everything that was answered is there.</summary>
    /// <returns>Whether the node told of the damage.</returns>
    private static async Task<bool> IsToldAsync(ClusterFixture cluster, string journal, string damage)
    {
        cluster.Log.Clear();
        await cluster.StartAgainAsync();
        await CheckRunningAsync(cluster, damage);
        await cluster.StopAsync();
        var told = cluster.Log.Errors.Where(static error => error.Contains("keeps no log durable", StringComparison.Ordinal)).ToList();
        Assert.All(told, error => Assert.Contains(Path.GetFileName(journal), error, StringComparison.Ordinal));
        return told.Count > 0;
    }

    private static async Task CheckAsync(ClusterFixture cluster, string when)
    {
        await cluster.StartAgainAsync();
        await CheckRunningAsync(cluster, when);
    }

    private static async Task CheckRunningAsync(ClusterFixture cluster, string when)
    {
        foreach (var name in (string[])["main", "other"])
        {
            for (var region = 0; region < ClusterFixture.RegionCount; region++)
            {
                try
                {
                    var session = cluster.Database(region, name).WithSession(Session.FirstPrimary);
                    Assert.Equal("20 210", await session.QueryScalarAsync<string>(Sum));
                    Assert.Equal("20 210", await session.QueryScalarAsync<string>(Sum)); // at the bookmark, by this region's copy
                }
                catch (ReplicatedSqliteException e) when (e.Code == ErrorCodes.SqliteCorrupt)
                {
                    Assert.Fail($"{when}: region {region} cannot use {name}: {e.Message}");
                }
            }
        }
    }
}
