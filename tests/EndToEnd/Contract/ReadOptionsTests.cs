using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>How fresh a read must be and how long it may wait: on a replica that is up to date, on one that is behind, and on the primary.</summary>
public sealed class ReadOptionsTests
{
    private static readonly TimeSpan _delay = TimeSpan.FromSeconds(1.5);

    [Fact]
    public async Task What_happens_when_the_wait_is_over_is_as_asked()
    {
        await using var cluster = await StartAsync();
        var bookmark = (await cluster.Database(0, "d").ExecuteAsync("INSERT INTO t VALUES (1)")).Bookmark;
        foreach (var (choice, region, answeredBy) in new[]
        {
            (Protocol.V1.OnWaitTimeout.Unspecified, ClusterFixture.Apac, "primary"), (Protocol.V1.OnWaitTimeout.Forward, ClusterFixture.Apac, "primary"), (Protocol.V1.OnWaitTimeout.Fail, ClusterFixture.Apac, "nobody"),
            (Protocol.V1.OnWaitTimeout.Unspecified, ClusterFixture.Enam, "primary"), (Protocol.V1.OnWaitTimeout.Forward, ClusterFixture.Enam, "primary"), (Protocol.V1.OnWaitTimeout.Fail, ClusterFixture.Enam, "primary"),
        })
        {
            var read = new ReadOptions { Session = bookmark.ToString(), WaitTimeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(50)), OnWaitTimeout = choice };
            var (answer, code) = await AskAsync(cluster, region, read);
            Assert.Equal((choice, region, answeredBy), (choice, region, code == ErrorCodes.BookmarkTimeout ? "nobody" : answer!.Served.Primary ? "primary" : "replica"));
        }

        // Zero is no wait at all; the default and a long one last until the copy is there.
        var now = await AskAsync(cluster, ClusterFixture.Apac, new() { Session = bookmark.ToString(), WaitTimeout = new Duration(), OnWaitTimeout = Protocol.V1.OnWaitTimeout.Fail });
        Assert.Equal(ErrorCodes.BookmarkTimeout, now.Code);
        var (patient, _) = await AskAsync(cluster, ClusterFixture.Apac, new() { Session = bookmark.ToString() });
        Assert.True(!patient!.Served.Primary && patient.Served.WaitMs > 10, patient.Served.ToString());
        Assert.Equal(1, patient.Results[0].Rows.Columns[0].Integers[0]);
    }

    [Fact]
    public async Task A_write_does_not_wait_here_for_its_bookmark()
    {
        await using var cluster = await StartAsync();
        var bookmark = (await cluster.Database(0, "d").ExecuteAsync("INSERT INTO t VALUES (1)")).Bookmark;
        var request = new ExecuteRequest { Database = "d", Statements = { new Statement { Sql = "INSERT INTO t VALUES (2)" } }, Read = new() { Session = bookmark.ToString(), WaitTimeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(20)) } };
        var answer = await cluster.Channel(ClusterFixture.Apac).CallAsync(QueryMethods.Execute, request);
        Assert.True(answer.Served.Primary);
        Assert.True(Bookmark.Parse(answer.Bookmark) > bookmark);
    }

    [Fact]
    public async Task A_copy_that_has_not_heard_of_the_primary_for_too_long_passes_the_read_on()
    {
        await using var cluster = await StartAsync();
        foreach (var replica in (int[])[ClusterFixture.Weur, ClusterFixture.Apac])
        {
            // The proof may come a moment after the data.
            await Eventually.TrueAsync(
                async () => (await AskAsync(cluster, replica, new() { Session = "first-unconstrained", MaxStaleness = Duration.FromTimeSpan(TimeSpan.FromSeconds(30)) })).Answer is { Served.Primary: false }, "the replica has heard of its primary");
        }

        foreach (var (region, limit, byPrimary) in new[]
        {
            (ClusterFixture.Weur, TimeSpan.FromSeconds(30), false),
            (ClusterFixture.Apac, TimeSpan.FromSeconds(30), false),
            (ClusterFixture.Apac, TimeSpan.FromMilliseconds(200), true), // all it hears is older than that
            (ClusterFixture.Weur, TimeSpan.Zero, true), // some time has always passed
            (ClusterFixture.Enam, TimeSpan.Zero, true), // the primary needs no word from anybody
        })
        {
            foreach (var session in (string[])["first-unconstrained", Bookmark.Start.ToString()])
            {
                var (answer, _) = await AskAsync(cluster, region, new() { Session = session, MaxStaleness = Duration.FromTimeSpan(limit) });
                Assert.True(answer!.Served.Primary == byPrimary, $"region {region}, at most {limit}: {answer.Served}");
                Assert.True(answer.Served.Primary ? answer.Served.LagMs == 0 : answer.Served.LagMs <= limit.TotalMilliseconds, answer.Served.ToString());
            }
        }

        await using var transaction = new RawTransaction(cluster.Channel(ClusterFixture.Apac));
        await transaction.SendAsync(new TransactRequest
        {
            Begin = new() { Database = "d", ReadOnly = true, Read = new() { Session = "first-unconstrained", MaxStaleness = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(200)) } },
        });
        Assert.True((await transaction.NextAsync())!.Done.Served.Primary);
        var described = await cluster.Channel(ClusterFixture.Apac).CallAsync(
            QueryMethods.Describe, new DescribeRequest { Database = "d", Sql = "SELECT x FROM t", Read = new() { Session = "first-unconstrained", MaxStaleness = new Duration() } });
        Assert.Equal("t", described.Columns[0].OriginTable);
    }

    private static async Task<(ExecuteResponse? Answer, string? Code)> AskAsync(ClusterFixture cluster, int region, ReadOptions read)
    {
        try
        {
            return (await cluster.Channel(region).CallAsync(
                QueryMethods.Execute, new ExecuteRequest { Database = "d", Statements = { new Statement { Sql = "SELECT count(*) FROM t" } }, Read = read }).InTimeAsync(), null);
        }
        catch (RpcException failure)
        {
            return (null, failure.FindDetail<SqlError>()?.Code);
        }
    }

    private static async Task<ClusterFixture> StartAsync()
    {
        var cluster = await ClusterFixture.StartAsync(options => options with { Delays = new Dictionary<string, TimeSpan> { ["apac"] = _delay } });
        await cluster.Client(0).Admin.CreateDatabaseAsync("d");
        await cluster.Database(0, "d").ExecuteAsync("CREATE TABLE t (x)");
        await cluster.SettleAsync("d");
        return cluster;
    }
}
