using ReplicatedSqlite.Node;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Sessions that write through one region and read through another, while one replica is late and others write.</summary>
public sealed class HopTests
{
    private const string Schema = "CREATE TABLE hops (id INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL, counter INTEGER NOT NULL, UNIQUE (session, counter))";
    private const int Sessions = 8;
    private static readonly TimeSpan _delay = TimeSpan.FromMilliseconds(200);

    [Fact]
    public async Task A_session_that_hops_between_regions_never_reads_stale_or_unconfirmed_and_its_bookmark_never_goes_back()
    {
        var seed = Dose.Seed();
        await using var cluster = await StartAsync();
        var history = new HopHistory();
        using var stop = new CancellationTokenSource();
        var background = Enumerable.Range(0, 3).Select(i => WriteInBackgroundAsync(cluster, i, history, stop.Token)).ToList();
        var hops = Dose.Of(1500, 20_000) / Sessions;
        var sessions = Enumerable.Range(1, Sessions).Select(i => new HoppingSession(cluster, "hops", i, seed + i, history)).ToList();
        try
        {
            await Task.WhenAll(sessions.Select(session => Task.Run(async () =>
            {
                for (var i = 0; i < hops; i++)
                {
                    await session.HopAsync();
                }
            })));
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(background);
        }

        var final = await cluster.Database(ClusterFixture.Enam, "hops").QueryScalarAsync<long>("SELECT max(id) FROM hops");
        history.Check(final);
        Assert.True(history.Reads >= hops * Sessions);
        Assert.True(sessions.Sum(session => session.Waited) > hops / 4, "Hardly any read waited: the late replica was not late.");
        cluster.Log.HasNoErrors();
    }

    [Fact]
    public async Task Without_sessions_the_same_reads_are_stale()
    {
        await using var cluster = await StartAsync();
        var stale = 0;
        for (var i = 1; i <= 40; i++)
        {
            await cluster.Database(ClusterFixture.Weur, "hops").ExecuteAsync("INSERT INTO hops (session, counter) VALUES (1, ?)", [i]);
            var read = cluster.Database(ClusterFixture.Apac, "hops").WithSession(Session.FirstUnconstrained);
            var seen = await read.QueryScalarAsync<long>("SELECT coalesce(max(counter), 0) FROM hops WHERE session = 1");
            Assert.InRange(seen, 0, i);
            stale += seen < i ? 1 : 0;
        }

        Assert.True(stale > 0, "No read was stale on a replica that is 200 ms late: the checks of the other test could not fail.");
    }

    private static async Task<ClusterFixture> StartAsync()
    {
        var cluster = await ClusterFixture.StartAsync(options => options with { Delays = new Dictionary<string, TimeSpan> { ["apac"] = _delay } });
        await cluster.Client(ClusterFixture.Enam).Admin.CreateDatabaseAsync("hops");
        await cluster.Database(ClusterFixture.Enam, "hops").ExecuteAsync(Schema);
        await cluster.SettleAsync("hops"); // every copy has the table, so that a read without a session finds it
        return cluster;
    }

    private static async Task WriteInBackgroundAsync(ClusterFixture cluster, int region, HopHistory history, CancellationToken stop)
    {
        var database = cluster.Database(region, "hops");
        for (var counter = 1; !stop.IsCancellationRequested; counter++)
        {
            var answer = await database.ExecuteAsync("INSERT INTO hops (session, counter) VALUES (?, ?) RETURNING id", [100 + region, counter], null, CancellationToken.None);
            history.Wrote(answer.First.Rows[0].GetInt64(0), answer.Bookmark);
            await Task.Delay(2, CancellationToken.None);
        }
    }
}
