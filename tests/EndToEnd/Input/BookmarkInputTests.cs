using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Bookmarks that are none, of elsewhere, or of a future that never was.</summary>
public sealed class BookmarkInputTests(InputCluster input) : IClassFixture<InputCluster>
{
    private static readonly TimeSpan _longWait = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("latest")]
    [InlineData("00000001")]
    [InlineData("0000000A-0000000000000001-0000000000000000")]
    [InlineData("00000001-0000000000000001-00000000000000000")]
    [InlineData("00000001 0000000000000001-0000000000000000")]
    [InlineData("First-Primary")]
    [InlineData("\0")]
    [InlineData(" ")]
    public Task A_malformed_bookmark_is_refused(string session) =>
        input.IsRefusedAsync(InputCluster.Request("SELECT 1", session), StatusCode.InvalidArgument, ErrorCodes.BookmarkMalformed);

    [Fact]
    public async Task A_bookmark_of_another_database_is_refused()
    {
        await input.Cluster.Client(1).Admin.CreateDatabaseAsync("foreign");
        var foreign = await input.Cluster.Client(1).Admin.GetBookmarkAsync("foreign");
        await input.IsRefusedAsync(InputCluster.Request("SELECT 1", foreign.ToString()), StatusCode.InvalidArgument, ErrorCodes.BookmarkForeign);
        await input.IsRefusedAsync(InputCluster.Request("DELETE FROM t", foreign.ToString()), StatusCode.InvalidArgument, ErrorCodes.BookmarkForeign);
    }

    [Theory]
    [InlineData(0, 1_000)]
    [InlineData(0, ulong.MaxValue / 2)]
    [InlineData(7, 0)]
    public async Task A_bookmark_of_the_future_is_refused_promptly_in_every_region(uint epochs, ulong writes)
    {
        var now = await input.Cluster.Client(0).Admin.GetBookmarkAsync("d");
        var future = now with { Epoch = now.Epoch + epochs, Sequence = now.Sequence + writes };
        foreach (var sql in (string[])["SELECT 1", "INSERT INTO t (x) VALUES ('never')"])
        {
            for (var region = 0; region < ClusterFixture.RegionCount; region++)
            {
                var request = InputCluster.Request(sql, future.ToString());
                request.Read.WaitTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(_longWait); // it is not waited for
                var error = await input.IsRefusedAsync(request, StatusCode.FailedPrecondition, ErrorCodes.BookmarkFuture, region).InTimeAsync(_longWait);
                Assert.False(error.Retryable);
            }
        }
    }

    [Fact]
    public async Task A_wait_that_is_over_fails_where_that_is_asked_for()
    {
        await using var late = await ClusterFixture.StartAsync(options => options with { Delays = new Dictionary<string, TimeSpan> { ["apac"] = TimeSpan.FromSeconds(2) } });
        await late.Client(0).Admin.CreateDatabaseAsync("d");
        await late.Database(0, "d").ExecuteAsync("CREATE TABLE t (x)");
        await late.SettleAsync("d");
        var bookmark = (await late.Database(0, "d").ExecuteAsync("INSERT INTO t VALUES (1)")).Bookmark;
        var session = late.At(ClusterFixture.Apac, "d", bookmark);
        await Assert.ThrowsAsync<BookmarkTimeoutException>(() => session.QueryAsync(
            "SELECT * FROM t", null, new QueryOptions { WaitTimeout = TimeSpan.FromMilliseconds(100), OnWaitTimeout = OnWaitTimeout.Fail }));
        var answer = await session.ExecuteAsync("SELECT count(*) FROM t", null, new QueryOptions { WaitTimeout = TimeSpan.FromMilliseconds(100) });
        Assert.True(answer.Served.Primary);
        Assert.Equal(1, answer.First.Rows[0].GetInt64(0));
    }

    [Fact]
    public async Task The_start_is_a_bookmark_of_every_database()
    {
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var answer = await input.Cluster.Channel(region).CallAsync(QueryMethods.Execute, InputCluster.Request("SELECT 1", Bookmark.Start.ToString()));
            Assert.True(Bookmark.TryParse(answer.Bookmark, out _));
        }
    }
}
