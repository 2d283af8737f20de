namespace ReplicatedSqlite.EndToEnd;

/// <summary>State of a connection never crosses from one client's request into another's: clients whose requests, streams and transactions interleave in every way.</summary>
public sealed class IsolationTests
{
    [Theory]
    [InlineData(ClusterFixture.Enam)]
    [InlineData(ClusterFixture.Weur)]
    public async Task Interleaved_clients_meet_nothing_of_each_other(int region)
    {
        var seed = Dose.Seed();
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.Client(0).Admin.CreateDatabaseAsync("d");
        await cluster.Database(0, "d").ScriptAsync(
            """
            CREATE TABLE rows (id INTEGER PRIMARY KEY, owner INTEGER, v UNIQUE CHECK (v <> 'bad'));
            CREATE TABLE child (id INTEGER PRIMARY KEY, r INTEGER REFERENCES rows (id));
            WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO rows SELECT i, -1, 'base ' || i FROM n;
            """);
        var bookmark = await cluster.SettleAsync("d");
        var clients = Enumerable.Range(0, 8).Select(i => new IsolatedClient(i, seed, cluster.At(region, "d", bookmark), cluster.Channel(region))).ToList();
        await Task.WhenAll(clients.Select(client => Task.Run(() => client.RunAsync(Dose.Of(40, 2000))))).InTimeAsync(TimeSpan.FromSeconds(Dose.Of(120, 1200)));

        // What each was told is exactly what is there.
        var end = await cluster.Client(0).Admin.GetBookmarkAsync("d");
        foreach (var client in clients)
        {
            var found = await cluster.At(region, "d", end).QueryAsync("SELECT id FROM rows WHERE owner = ? ORDER BY id", [client.Owner]);
            Assert.Equal(client.Written.Order(), found.Rows.Select(row => row.GetInt64(0)));
        }

        Assert.Equal(IsolatedClient.StepNames.Count, clients.SelectMany(client => client.Steps).Distinct().Count());
        cluster.Log.HasNoErrors();
    }
}
