using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>Nothing that is computed from an unconfirmed write leaves the primary: transactions, replays and outcomes neither.</summary>
public sealed class TransactionGateTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _moment = TimeSpan.FromMilliseconds(100); // long enough for a fault to show

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_transaction_that_begins_on_an_unconfirmed_write_shows_nothing_before_it_is_confirmed(bool readOnly)
    {
        await using var primary = await HeldPrimary.StartAsync();
        primary.Hold();
        var write = primary.ExecuteAsync("INSERT INTO t VALUES (1, 'unconfirmed')");
        await Task.Delay(_moment);
        var (steps, answers) = primary.Transact(new() { ReadOnly = readOnly });
        await steps.WriteAsync(Sql("SELECT v FROM t"));
        await Task.Delay(_moment);
        Assert.False(write.IsCompleted);
        Assert.False(answers.TryPeek(out _));
        primary.Release();
        var bookmark = (await write.WaitAsync(_patience)).Bookmark;
        Assert.Equal(bookmark, (await NextAsync(answers)).Done.Bookmark);
        Assert.NotNull((await NextAsync(answers)).Result.Header);
        Assert.Equal("unconfirmed", (await NextAsync(answers)).Result.Rows.Columns[0].Texts[0]);
        steps.Complete();
    }

    [Fact]
    public async Task A_commit_is_answered_when_it_is_confirmed_and_holds_the_writer_no_longer_than_it_runs()
    {
        await using var primary = await HeldPrimary.StartAsync();
        var (steps, answers) = primary.Transact(new());
        await steps.WriteAsync(Sql("INSERT INTO t VALUES (1, 'a')"));
        var begun = (await NextAsync(answers)).Done.Bookmark;
        while ((await NextAsync(answers)).Done is null)
        {
        }

        primary.Hold();
        await steps.WriteAsync(new TransactRequest { Commit = new() });
        var next = primary.ExecuteAsync("INSERT INTO t VALUES (2, (SELECT max(id) FROM t))");
        await Task.Delay(_moment);
        Assert.False(answers.TryPeek(out _));
        Assert.False(next.IsCompleted);
        primary.Release();
        var committed = (await NextAsync(answers)).Done.Bookmark;
        Assert.True(string.CompareOrdinal(begun, committed) < 0);
        Assert.True(string.CompareOrdinal(committed, (await next.WaitAsync(_patience)).Bookmark) < 0);
    }

    [Fact]
    public async Task A_transaction_that_cannot_be_told_that_it_began_frees_the_writer_when_its_lease_ends()
    {
        await using var primary = await HeldPrimary.StartAsync();
        primary.Hold();
        var first = primary.ExecuteAsync("INSERT INTO t VALUES (1, 'a')");
        await Task.Delay(_moment);
        var (_, answers) = primary.Transact(new() { IdleTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(_moment) });
        var told = await NextAsync(answers);
        Assert.Equal("TRANSACTION_EXPIRED", told.Failed.Error.Code);
        Assert.True(told.Failed.Ended);
        primary.Release();
        await first.WaitAsync(_patience);
        await primary.ExecuteAsync("INSERT INTO t VALUES (2, 'b')").WaitAsync(_patience);
    }

    [Fact]
    public async Task A_replay_and_an_outcome_wait_for_the_write_that_they_tell_of()
    {
        await using var primary = await HeldPrimary.StartAsync();
        primary.Hold();
        var first = primary.ExecuteAsync("INSERT INTO t VALUES (1, 'a')", "key");
        await Task.Delay(_moment);
        var retry = primary.ExecuteAsync("INSERT INTO t VALUES (1, 'a')", "key");
        var other = primary.ExecuteAsync("INSERT INTO t VALUES (2, 'b')", "key");
        var outcome = primary.GetOutcomeAsync("key");
        var marker = primary.GetOutcomeAsync("never");
        await Task.Delay(_moment);
        Assert.DoesNotContain(new Task[] { first, retry, other, outcome, marker }, task => task.IsCompleted);
        primary.Release();
        Assert.False((await first.WaitAsync(_patience)).Replayed);
        Assert.True((await retry.WaitAsync(_patience)).Replayed);
        Assert.True(string.CompareOrdinal((await first).Bookmark, (await retry).Bookmark) <= 0);
        await Assert.ThrowsAsync<Protocol.RequestException>(() => other.WaitAsync(_patience));
        Assert.Equal(CommitState.Committed, (await outcome.WaitAsync(_patience)).State);
        Assert.Equal(CommitState.NotCommitted, (await marker.WaitAsync(_patience)).State);
    }

    private static TransactRequest Sql(string sql) => new() { Execute = new() { Statements_ = { new Statement { Sql = sql } } } };

    private static async Task<TransactResponse> NextAsync(System.Threading.Channels.ChannelReader<TransactResponse> answers) =>
        await answers.ReadAsync().AsTask().WaitAsync(_patience);
}
