using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>The real process under load, killed at random moments.</summary>
public sealed class KillTests
{
    [Fact]
    public async Task A_killed_process_comes_back_with_every_answered_write_exactly_once()
    {
        var seed = Dose.Seed();
        var random = new Random(seed);
        using var folder = new TemporaryFolder();
        var writers = new KeyWriters();
        var node = await NodeProcess.StartAsync(folder.Path);
        try
        {
            var clients = node.Connect();
            await clients[0].Admin.CreateDatabaseAsync("kv");
            await clients[0].Database("kv").ExecuteAsync(KeyWriters.Schema);
            for (var round = 0; round < Dose.Of(3, 20); round++)
            {
                await RunAndKillAsync(node, clients, writers, round, random);
                await node.DisposeAsync();
                node = await NodeProcess.StartAsync(folder.Path);
                clients = node.Connect();
                try
                {
                    await CheckAsync(clients, writers);
                }
                catch (ReplicatedSqliteException e)
                {
                    throw new InvalidOperationException($"After round {round}: {e.Code} {e.Message}\n{node}", e);
                }
            }

            Assert.True(writers.Answered > 100, $"Only {writers.Answered} writes were answered: hardly any load.");
        }
        finally
        {
            await node.DisposeAsync();
        }
    }

    private static async Task RunAndKillAsync(NodeProcess node, IReadOnlyList<ReplicatedSqliteClient> clients, KeyWriters writers, int round, Random random)
    {
        using var stop = new CancellationTokenSource();
        var before = writers.Answered;
        var load = writers.RunAsync(clients, round, random.Next(), stop.Token);
        await Eventually.TrueAsync(() => writers.Answered > before + random.Next(20, 600), "the load runs");
        await Task.Delay(random.Next(0, 50)); // the moment of the kill is what is random here; nothing is waited for
        await node.KillAsync();
        await stop.CancelAsync();
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }

        await load.InTimeAsync(TimeSpan.FromSeconds(60));
    }

    private static async Task CheckAsync(IReadOnlyList<ReplicatedSqliteClient> clients, KeyWriters writers)
    {
        for (var region = 0; region < clients.Count; region++)
        {
            foreach (var bookmark in writers.Bookmarks)
            {
                var session = clients[region].Database("kv").WithSession(bookmark);
                await session.QueryAsync("SELECT 1 FROM kv LIMIT 1");
                Assert.True(session.Bookmark >= bookmark);
            }

            var latest = clients[region].Database("kv").WithSession(writers.Bookmarks.Max());
            var rows = new Dictionary<string, (long, long)>();
            await foreach (var row in latest.StreamAsync("SELECT batch, count(*), count(DISTINCT part) FROM kv GROUP BY batch"))
            {
                rows.Add(row.GetString(0), (row.GetInt64(1), row.GetInt64(2)));
            }

            writers.Check(rows, $"region {region}");
            Assert.Equal("ok", await latest.QueryScalarAsync<string>("PRAGMA integrity_check"));
        }
    }
}
