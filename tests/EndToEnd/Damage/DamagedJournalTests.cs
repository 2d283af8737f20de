using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A journal that was damaged while the cluster was stopped: refused by name and offset, or a clean cut of a tail that nobody was answered for.</summary>
public sealed class DamagedJournalTests
{
    private const string Sum = "SELECT count(*) || ' ' || sum(x) FROM t";

    [Fact]
    public async Task A_flipped_bit_is_refused_with_file_and_offset_or_changes_nothing_that_was_answered()
    {
        var random = new Random(Dose.Seed());
        await using var cluster = await StartAsync();
        var journal = await StopAsync(cluster);
        var used = FileDamage.UsedLength(journal);
        var refused = 0;
        for (var i = 0; i < Dose.Of(12, 120); i++)
        {
            var (offset, bit) = (random.NextInt64(used), random.Next(8));
            FileDamage.FlipBit(journal, offset, bit);
            refused += await IsRefusedOrRightAsync(cluster, journal, $"bit {bit} at {offset} of {used}") ? 1 : 0;
            FileDamage.FlipBit(journal, offset, bit);
        }

        Assert.True(refused > 0, "No flipped bit was noticed.");
        await CheckAsync(cluster, "after all damage was undone");
    }

    [Fact]
    public async Task A_truncated_journal_is_refused_and_left_as_it_is()
    {
        var random = new Random(Dose.Seed());
        await using var cluster = await StartAsync();
        var journal = await StopAsync(cluster);
        var whole = await File.ReadAllBytesAsync(journal);
        var used = FileDamage.UsedLength(journal);
        foreach (var length in (long[])[0, 1, 100, random.NextInt64(used), used - 1, used + 1])
        {
            FileDamage.Truncate(journal, length);
            var refused = await IsRefusedOrRightAsync(cluster, journal, $"cut at {length} of {used}");
            Assert.True(refused || length > used, $"A journal cut at {length} of {used} was accepted.");
            await File.WriteAllBytesAsync(journal, whole);
        }

        File.Delete(journal);
        await IsRefusedOrRightAsync(cluster, journal, "deleted");
        await File.WriteAllBytesAsync(journal, whole);
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

    /// <summary>Tries to start, twice: refused in the same words each time, or everything is there.</summary>
    private static async Task<bool> IsRefusedOrRightAsync(ClusterFixture cluster, string journal, string damage)
    {
        string? text = null;
        for (var attempt = 0; attempt < 2; attempt++)
        {
            try
            {
                await cluster.StartAgainAsync();
            }
            catch (JournalException e)
            {
                Assert.Contains(Path.GetFileName(journal), e.Message);
                Assert.Matches(@"\d", e.Message);
                Assert.True(text is null || text == e.Message, $"{damage}: first '{text}', then '{e.Message}'");
                text = e.Message;
                await cluster.StopAsync();
                continue;
            }

            Assert.True(text is null, $"{damage}: refused at first ('{text}'), then accepted.");
            await CheckRunningAsync(cluster, damage);
            await cluster.StopAsync();
            return false;
        }

        return true;
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
