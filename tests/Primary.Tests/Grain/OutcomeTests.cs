using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>What GetOutcome says when rows of old keys are gone: never that nothing was committed, unless it is certain.</summary>
public sealed class OutcomeTests
{
    private static readonly TimeSpan _retention = TimeSpan.FromHours(24);

    private readonly ManualTime _time = new();

    [Fact]
    public async Task A_key_that_went_by_its_age_is_unknown_and_not_given_up()
    {
        await using var primary = await StartAsync();
        await WriteAsync(primary, "old");
        Assert.Equal(CommitState.Committed, await OutcomeAsync(primary, "old"));
        _time.Advance(_retention + TimeSpan.FromHours(1));
        Assert.Equal(CommitState.Committed, await OutcomeAsync(primary, "old")); // its row is there still
        await WriteAsync(primary, "young"); // takes the old row along

        Assert.Equal(CommitState.Unknown, await OutcomeAsync(primary, "old"));
        Assert.Equal(CommitState.Unknown, await OutcomeAsync(primary, "old", _retention + TimeSpan.FromHours(2)));
        Assert.Equal(CommitState.Unknown, await OutcomeAsync(primary, "old")); // the question has left nothing behind
        Assert.Equal(CommitState.Committed, await OutcomeAsync(primary, "young"));
    }

    [Fact]
    public async Task A_key_that_went_because_there_were_too_many_is_unknown_after_a_restart_too()
    {
        await using var primary = await StartAsync(mostKeys: 3);
        for (var i = 0; i < 6; i++)
        {
            await WriteAsync(primary, $"key {i}");
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        for (var restarted = 0; restarted < 2; restarted++)
        {
            foreach (var i in Enumerable.Range(0, 3))
            {
                Assert.Equal(CommitState.Unknown, await OutcomeAsync(primary, $"key {i}"));
            }

            foreach (var i in Enumerable.Range(3, 3))
            {
                Assert.Equal(CommitState.Committed, await OutcomeAsync(primary, $"key {i}"));
            }

            await primary.RestartAsync();
        }
    }

    [Fact]
    public async Task Who_says_when_it_was_sent_is_told_for_certain()
    {
        await using var primary = await StartAsync(mostKeys: 1);
        await WriteAsync(primary, "first");
        await WriteAsync(primary, "second");
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(CommitState.Unknown, await OutcomeAsync(primary, "lost"));
        Assert.Equal(CommitState.Unknown, await OutcomeAsync(primary, "lost", TimeSpan.FromMinutes(6)));
        Assert.Equal(CommitState.Unknown, await OutcomeAsync(primary, "lost", TimeSpan.FromSeconds(-1)));
        Assert.Equal(CommitState.NotCommitted, await OutcomeAsync(primary, "lost", TimeSpan.FromMinutes(4)));
        Assert.Equal(CommitState.NotCommitted, await OutcomeAsync(primary, "lost")); // final, by the row that says so
        await PrimaryFixture.RefusedAsync(WriteAsync(primary, "lost"));
    }

    [Fact]
    public async Task A_dated_key_tells_its_age_itself()
    {
        await using var primary = await StartAsync(mostKeys: 1);
        var old = Guid.CreateVersion7(_time.GetUtcNow()).ToString();
        await WriteAsync(primary, "first");
        await WriteAsync(primary, "second");
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(CommitState.Unknown, await OutcomeAsync(primary, old));
        Assert.Equal(CommitState.NotCommitted, await OutcomeAsync(primary, Guid.CreateVersion7(_time.GetUtcNow() - TimeSpan.FromMinutes(30)).ToString()));
        Assert.Equal(CommitState.Unknown, await OutcomeAsync(primary, Guid.CreateVersion7(_time.GetUtcNow() + TimeSpan.FromHours(1)).ToString())); // of a clock that is wrong
        Assert.Equal(CommitState.Unknown, await OutcomeAsync(primary, Guid.NewGuid().ToString()));
    }

    [Fact]
    public async Task A_key_that_was_given_up_stays_given_up()
    {
        await using var primary = await StartAsync();
        Assert.Equal(CommitState.NotCommitted, await OutcomeAsync(primary, "never"));
        _time.Advance(_retention + TimeSpan.FromHours(1));
        Assert.Equal(CommitState.NotCommitted, await OutcomeAsync(primary, "never")); // and has its force again
        await WriteAsync(primary, "other");
        Assert.Equal(CommitState.NotCommitted, await OutcomeAsync(primary, "never"));
        await PrimaryFixture.RefusedAsync(WriteAsync(primary, "never"));
    }

    private static Task<ExecuteResponse> WriteAsync(PrimaryFixture primary, string key)
    {
        var request = new ExecuteRequest { Database = primary.Database.ToString(), IdempotencyKey = key, Statements = { new Statement { Sql = "INSERT INTO t VALUES (1)" } } };
        return primary.Grain.ExecuteAsync(request, ReadConstraint.Parse(request.Read, primary.Database, PrimaryFixture.Patience, Caller.Anonymous), TestContext.Current.CancellationToken);
    }

    private static async Task<CommitState> OutcomeAsync(PrimaryFixture primary, string key, TimeSpan? sentWithin = null)
    {
        var request = new GetOutcomeRequest
        {
            Database = primary.Database.ToString(), IdempotencyKey = key, SentWithin = sentWithin is { } within ? Duration.FromTimeSpan(within) : null,
        };
        return (await primary.Grain.GetOutcomeAsync(request, Caller.Anonymous, TestContext.Current.CancellationToken).WaitAsync(PrimaryFixture.Patience)).State;
    }

    private async Task<PrimaryFixture> StartAsync(int mostKeys = 1000)
    {
        var primary = await PrimaryFixture.StartAsync(new PrimaryOptions { IdempotencyRetention = _retention, MaxIdempotencyKeys = mostKeys }, _time);
        await primary.RunAsync("CREATE TABLE t (x)");
        return primary;
    }
}
