using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

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
