using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary.Tests;

public class GateTests
{
    [Fact]
    public async Task Nothing_computed_from_an_unconfirmed_write_leaves_before_it_is_confirmed()
    {
        await using var primary = await PrimaryFixture.StartAsync();
        var created = await primary.WriteAsync("CREATE TABLE t (x UNIQUE)");
        primary.Disk.Hold();
        var write = primary.Execute("INSERT INTO t VALUES (1)");
        await PrimaryFixture.UntilAsync(() => primary.AppendedBeyond(created), "the insert is in the log");
        var read = primary.Execute("SELECT count(*) FROM t");
        var error = primary.Execute("INSERT INTO t VALUES (1)"); // fails because of the row that nobody may know of
        var failedRead = primary.Execute("SELECT json_extract(x, '[') FROM t"); // an error for this row only
        await Task.Delay(50);
        Assert.False(write.IsCompleted || read.IsCompleted || error.IsCompleted || failedRead.IsCompleted);
        primary.Disk.Release();
        var written = Bookmark.Parse((await write.WaitAsync(PrimaryFixture.Patience)).Bookmark);
        Assert.True(written > created);
        var answer = await read.WaitAsync(PrimaryFixture.Patience);
        Assert.Equal(1, answer.Results[0].Rows.Columns[0].Integers[0]);
        Assert.True(Bookmark.Parse(answer.Bookmark) >= written);
        var constraint = await PrimaryFixture.RefusedAsync(error);
        Assert.Equal("SQLITE_CONSTRAINT_UNIQUE", constraint.Error.Code);
        Assert.True(Bookmark.Parse(constraint.Error.Bookmark) >= written);
        Assert.True(Bookmark.Parse((await PrimaryFixture.RefusedAsync(failedRead)).Error.Bookmark) >= written);
    }

    [Fact]
    public async Task A_journal_that_fails_leaves_writes_unknown_and_reads_to_be_tried_again()
    {
        await using var primary = await PrimaryFixture.StartAsync();
        var created = await primary.WriteAsync("CREATE TABLE t (x)");
        primary.Disk.Hold();
        var write = primary.Execute("INSERT INTO t VALUES (1)");
        await PrimaryFixture.UntilAsync(() => primary.AppendedBeyond(created), "the insert is in the log");
        var read = primary.Execute("SELECT count(*) FROM t");
        await Task.Delay(20);
        primary.Disk.Fail();
        var unknown = await PrimaryFixture.RefusedAsync(write);
        Assert.Equal((ErrorCodes.WriteOutcomeUnknown, CommitState.Unknown), (unknown.Error.Code, unknown.Error.CommitState));
        Assert.Equal("", unknown.Error.Bookmark);
        Assert.Equal(ErrorCodes.NoPrimary, (await PrimaryFixture.RefusedAsync(read)).Error.Code);
        Assert.True(primary.Grain.HasFailed);
        Assert.Equal(ErrorCodes.NoPrimary, (await PrimaryFixture.RefusedAsync(primary.Execute("INSERT INTO t VALUES (2)"))).Error.Code);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // the next write begins the WAL anew, and the state before it is the main file alone
    public async Task Without_followers_those_who_may_read_an_older_state_get_the_last_confirmed_one(bool checkpoints)
    {
        const string Many = "INSERT INTO t WITH RECURSIVE n (v) AS (VALUES (1) UNION ALL SELECT v + 1 FROM n LIMIT 500) SELECT 1000 + v FROM n";
        await using var primary = await PrimaryFixture.StartAsync(new PrimaryOptions { IdleCheckpoint = checkpoints ? TimeSpan.FromMilliseconds(20) : TimeSpan.FromHours(1) });
        await primary.WriteAsync("CREATE TABLE t (x)");
        for (var round = 1; round <= 3; round++)
        {
            var before = await primary.WriteAsync($"INSERT INTO t VALUES ({round})");
            if (checkpoints)
            {
                await PrimaryFixture.UntilAsync(() => Sidecar.Read(Sidecar.PathOf(primary.File))?.From.Sequence == before.Sequence, "the file holds everything");
            }

            primary.Disk.Hold();
            Task<ExecuteResponse>[] writes = [primary.Execute(Many), primary.Execute("INSERT INTO t VALUES (2000)")];
            Assert.Equal(ErrorCodes.WriteOutcomeUnknown, (await PrimaryFixture.RefusedAsync(writes[0])).Error.Code);

            foreach (var session in (string[])["first-unconstrained", before.ToString()])
            {
                var answer = await primary.RunAsync("SELECT count(*), max(x) FROM t", session);
                Assert.Equal((round, (long)round), (answer.Results[0].Rows.Columns[0].Integers[0], answer.Results[0].Rows.Columns[1].Integers[0]));
                Assert.Equal(before.ToString(), answer.Bookmark);
                Assert.Equal(before.ToString(), await primary.StreamBookmarkAsync("SELECT x FROM t", session));
            }

            Assert.Equal(ErrorCodes.QuorumUnavailable, (await PrimaryFixture.RefusedAsync(primary.Execute("SELECT count(*) FROM t"))).Error.Code);
            primary.Disk.Release();
            await Task.WhenAll(writes.Select(static write => write.ContinueWith(static _ => { }, TaskScheduler.Default)));
            await primary.WriteSoonAsync("DELETE FROM t WHERE x > 1000");
        }

        Assert.Equal(3, await primary.NumberAsync("SELECT count(*) FROM t"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_full_disk_stops_writes_and_they_go_on_when_there_is_room(bool stops)
    {
        await using var primary = await PrimaryFixture.StartAsync();
        await primary.WriteAsync("CREATE TABLE t (x)");
        primary.Disk.IsFull = true;
        var answered = 0;
        RequestException? full = null;
        for (var i = 0; full is null && i < 100; i++)
        {
            try
            {
                await primary.WriteAsync("INSERT INTO t VALUES (randomblob(20000))");
                answered++;
            }
            catch (RequestException refused)
            {
                full = refused;
            }
        }

        // The entry may be on the disk or not; with one follower nobody else can say.
        Assert.Equal((ErrorCodes.WriteOutcomeUnknown, CommitState.Unknown), (full!.Error.Code, full.Error.CommitState));
        Assert.True(full.Message.Contains("full", StringComparison.Ordinal), full.Message);
        var later = await PrimaryFixture.RefusedAsync(primary.Execute("INSERT INTO t VALUES (1)"));
        Assert.Equal((ErrorCodes.QuorumUnavailable, CommitState.NotCommitted), (later.Error.Code, later.Error.CommitState));
        if (stops)
        {
            await primary.DeactivateAsync();
        }

        primary.Disk.IsFull = false;
        if (stops)
        {
            await primary.ActivateSoonAsync();
        }

        await primary.WriteSoonAsync("INSERT INTO t VALUES (1)");
        Assert.InRange(await primary.NumberAsync("SELECT count(*) FROM t"), answered + 1, answered + 2);
    }

    [Fact]
    public async Task Writes_that_meet_a_closed_journal_are_answered()
    {
        await using var primary = await PrimaryFixture.StartAsync();
        await primary.WriteAsync("CREATE TABLE t (x)");
        await primary.Journal.DisposeAsync();
        var writes = Enumerable.Range(0, 20).Select(i => primary.Execute($"INSERT INTO t VALUES ({i})")).ToList();
        foreach (var write in writes)
        {
            Assert.Contains((await PrimaryFixture.RefusedAsync(write)).Error.Code, (string[])[ErrorCodes.WriteOutcomeUnknown, ErrorCodes.NoPrimary]);
        }
    }
}
