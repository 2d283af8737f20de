using System.Collections.Concurrent;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Writes with keys over connections that break at every hop: each runs once, and every answer is the first one.</summary>
public sealed class RetryTests
{
    private const string Name = "retries";
    private const int MostTries = 200;
    private static readonly SqlStatement _count = new("UPDATE counter SET n = n + 1 RETURNING n");

    [Theory]
    [InlineData(true, false)] // client to the node of a replica or the primary
    [InlineData(false, true)] // node to the primary's node
    [InlineData(true, true)]
    public async Task Each_key_runs_once_and_every_answer_is_the_first(bool cutClients, bool cutNodes)
    {
        await using var scene = await Scene.StartAsync(Dose.Seed(), cutClients, cutNodes);
        var answers = new ConcurrentDictionary<string, string>();
        var keys = Dose.Of(60, 1500);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async worker =>
        {
            for (var i = worker; i < keys; i += 6)
            {
                var key = $"key {i}";
                answers[key] = await scene.UntilAnsweredAsync(i % 3, i % 2 == 0 ? database => ExecuteAsync(database, key) : database => StreamAsync(database, key));
            }
        }));
        Assert.True(scene.Cuts > 0, "No connection was cut: nothing was tested.");
        scene.Calm();

        // Once more over good connections, from everywhere: the same answer, marked as such.
        for (var i = 0; i < keys; i++)
        {
            var key = $"key {i}";
            var (answer, replayed) = i % 2 == 0
                ? await ExecuteAsync(scene.Cluster.Database((i + 1) % 3, Name), key)
                : await StreamAsync(scene.Cluster.Database((i + 1) % 3, Name), key);
            Assert.True(replayed, key);
            Assert.Equal(answers[key], answer);
        }

        await scene.RanOnceAsync(answers.Keys);
        Assert.Equal(keys, answers.Values.Distinct().Count()); // the counter's value is in each
        scene.Cluster.Log.HasNoErrors();
    }

    [Fact]
    public async Task A_transaction_whose_commit_was_lost_is_resolved_for_good()
    {
        await using var scene = await Scene.StartAsync(Dose.Seed(), cutClients: true, cutNodes: true);
        var committed = new ConcurrentBag<string>();
        var resolved = 0;
        var transactions = Dose.Of(40, 1000);
        await Task.WhenAll(Enumerable.Range(0, 3).Select(async worker =>
        {
            for (var i = worker; i < transactions; i += 3)
            {
                var key = $"transaction {i}";
                if (await TransactAsync(scene.Faulty(worker), key) is not { } outcome)
                {
                    Interlocked.Increment(ref resolved);
                    (outcome, _) = await scene.UntilToldAsync(worker, database => database.GetOutcomeAsync(key, TimeSpan.FromMinutes(10)));
                    Assert.NotEqual(CommitState.Unknown, outcome);
                }

                if (outcome == CommitState.Committed)
                {
                    committed.Add(key);
                }
                else
                {
                    // The original comes late, straight to the primary: it is refused.
                    var late = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => scene.Cluster.Database(0, Name).BeginTransactionAsync(new() { IdempotencyKey = key }));
                    Assert.Equal(ErrorCodes.IdempotencyKeyReused, late.Code);
                }
            }
        }));
        Assert.True(scene.Cuts > 0 && resolved > 0, "No commit was lost: nothing was tested.");
        scene.Calm();
        await scene.RanOnceAsync(committed);
        foreach (var key in committed)
        {
            Assert.Equal(CommitState.Committed, (await scene.Cluster.Database(0, Name).GetOutcomeAsync(key)).State);
        }
    }

    [Fact]
    public async Task A_node_that_is_killed_between_two_tries_has_not_forgotten()
    {
        using var folder = new TemporaryFolder();
        var seed = Dose.Seed();
        var random = new Random(seed);
        var answers = new ConcurrentDictionary<string, string>();
        for (var round = 0; round < Dose.Of(2, 12); round++)
        {
            await using var process = await NodeProcess.StartAsync(folder.Path);
            var clients = process.Connect();
            if (round == 0)
            {
                await clients[0].Admin.CreateDatabaseAsync(Name);
                await clients[0].Database(Name).ScriptAsync(Scene.Schema);
            }

            var killAfter = random.Next(20, 200);
            var answered = 0;
            var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var unanswered = new ConcurrentBag<string>();
            var first = round * 1000;
            var writers = Enumerable.Range(0, 6).Select(worker => Task.Run(async () =>
            {
                for (var i = first + worker; i < first + 1000; i += 6)
                {
                    var key = $"key {i}";
                    try
                    {
                        answers[key] = (await ExecuteAsync(clients[i % 3].Database(Name), key)).Answer;
                        if (Interlocked.Increment(ref answered) == killAfter)
                        {
                            enough.SetResult();
                        }
                    }
                    catch (ReplicatedSqliteException)
                    {
                        unanswered.Add(key);
                        return;
                    }
                }
            })).ToArray();
            await enough.Task.InTimeAsync();
            await process.KillAsync();
            await Task.WhenAll(writers).InTimeAsync();
            foreach (var client in clients)
            {
                await client.DisposeAsync();
            }

            await using var again = await NodeProcess.StartAsync(folder.Path);
            clients = again.Connect();
            foreach (var (key, answer) in answers.Where((_, i) => i % 7 == 0))
            {
                var (found, replayed) = await ExecuteAsync(clients[random.Next(3)].Database(Name), key);
                Assert.True(replayed, $"seed {seed}: {key} was answered before the kill and ran again");
                Assert.Equal(answer, found);
            }

            foreach (var key in unanswered)
            {
                answers[key] = (await ExecuteAsync(clients[random.Next(3)].Database(Name), key)).Answer;
            }

            await Scene.RanOnceAsync(clients[0].Database(Name), answers.Keys);
            foreach (var client in clients)
            {
                await client.DisposeAsync();
            }
        }
    }

    private static async Task<(string Answer, bool Replayed)> ExecuteAsync(ReplicatedDatabase database, string key)
    {
        var answer = await database.BatchAsync([new SqlStatement("INSERT INTO runs VALUES (?)", [key]), _count], new() { IdempotencyKey = key });
        var meta = answer.Results[0].Meta;
        return ($"{key}: {answer.Results[1].Rows[0].GetInt64(0)}, {meta.Changes} changed, row {meta.LastRowId}", answer.Replayed);
    }

    private static async Task<(string Answer, bool Replayed)> StreamAsync(ReplicatedDatabase database, string key)
    {
        var (answer, replayed) = (key, false);
        await foreach (var part in database.StreamBatchAsync([new SqlStatement("INSERT INTO runs VALUES (?)", [key]), _count], new() { IdempotencyKey = key }))
        {
            switch (part)
            {
                case ResultRows { Rows: var rows }:
                    answer += $": {rows[0].GetInt64(0)}";
                    break;
                case ResultEnd { Meta: var meta }:
                    answer += $", {meta.Changes} changed, row {meta.LastRowId}";
                    break;
                case StreamDone done:
                    replayed = done.Replayed;
                    break;
            }
        }

        return (answer, replayed);
    }

    // Nothing when its end is not known.
    private static async Task<CommitState?> TransactAsync(ReplicatedDatabase database, string key)
    {
        try
        {
            await using var transaction = await database.BeginTransactionAsync(new() { IdempotencyKey = key });
            await transaction.ExecuteAsync("INSERT INTO runs VALUES (?)", [key]);
            await transaction.QueryScalarAsync<long>(_count.Sql);
            await transaction.CommitAsync();
            return CommitState.Committed;
        }
        catch (ReplicatedSqliteException)
        {
            return null;
        }
    }

    /// <summary>A cluster behind connections that break.</summary>
    private sealed class Scene : IAsyncDisposable
    {
        public const string Schema = "CREATE TABLE runs (key TEXT); CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (0)";
        private const int MostBytes = 2500; // until a cut: a few calls

        private readonly CuttingNetwork _toNodes;
        private readonly CuttingNetwork _betweenNodes;
        private readonly List<ReplicatedSqliteClient> _clients = [];

        private Scene(CuttingNetwork toNodes, CuttingNetwork betweenNodes, ClusterFixture cluster) => (_toNodes, _betweenNodes, Cluster) = (toNodes, betweenNodes, cluster);

        public ClusterFixture Cluster { get; }

        public int Cuts => _toNodes.LostReplies + _betweenNodes.LostReplies;

        public static async Task<Scene> StartAsync(int seed, bool cutClients, bool cutNodes)
        {
            var toNodes = new CuttingNetwork(seed, MostBytes);
            var betweenNodes = new CuttingNetwork(seed + 1, MostBytes);
            var cluster = await ClusterFixture.StartAsync(options => options with { Configure = node => node with { ConfigureForwarding = betweenNodes.Configure } });
            var scene = new Scene(toNodes, betweenNodes, cluster);
            await cluster.Client(0).Admin.CreateDatabaseAsync(Name);
            await cluster.Database(0, Name).ScriptAsync(Schema);
            await cluster.SettleAsync(Name);
            for (var region = 0; region < ClusterFixture.RegionCount; region++)
            {
                var options = new ReplicatedSqliteClientOptions { Channel = new GrpcChannelOptions { ConfigureHandler = toNodes.Configure }, CallTimeout = TimeSpan.FromSeconds(20) };
                scene._clients.Add(new ReplicatedSqliteClient(cluster.Node(region).GrpcAddress.Authority, options));
            }

            (toNodes.Cuts, betweenNodes.Cuts) = (cutClients, cutNodes);
            return scene;
        }

        /// <summary>A database over connections that break.</summary>
        public ReplicatedDatabase Faulty(int region) => _clients[region].Database(Name);

        public void Calm() => _toNodes.Cuts = _betweenNodes.Cuts = false;

        /// <summary>Makes the same call until it is answered.</summary>
        public async Task<string> UntilAnsweredAsync(int region, Func<ReplicatedDatabase, Task<(string Answer, bool Replayed)>> call) => (await UntilToldAsync(region, call)).Answer;

        public async Task<T> UntilToldAsync<T>(int region, Func<ReplicatedDatabase, Task<T>> call)
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    return await call(Faulty((region + attempt) % ClusterFixture.RegionCount)).InTimeAsync();
                }
                catch (ReplicatedSqliteException e) when (attempt < MostTries)
                {
                    // Whatever was cut where, a client is told that it may try again, or that nobody knows.
                    Assert.True(e.IsTransient || e.CommitState == CommitState.Unknown, $"attempt {attempt}: {e.Code}, {e.CommitState}: {e.Message}");
                    Assert.NotEqual(ErrorCodes.IdempotencyKeyReused, e.Code);
                }
            }
        }

        public async Task RanOnceAsync(IEnumerable<string> keys) => await RanOnceAsync(Cluster.Database(0, Name), keys);

        /// <summary>Each key once, and no other.</summary>
        public static async Task RanOnceAsync(ReplicatedDatabase database, IEnumerable<string> keys)
        {
            var runs = new Dictionary<string, long>();
            foreach (var row in (await database.QueryAsync("SELECT key, count(*) FROM runs GROUP BY key")).Rows)
            {
                runs.Add(row.GetString(0), row.GetInt64(1));
            }

            Assert.DoesNotContain(runs, run => run.Value != 1);
            Assert.Equal(keys.Order(StringComparer.Ordinal), runs.Keys.Order(StringComparer.Ordinal));
            Assert.Equal(runs.Count, await database.QueryScalarAsync<long>("SELECT n FROM counter"));
        }

        public async ValueTask DisposeAsync()
        {
            Calm();
            foreach (var client in _clients)
            {
                await client.DisposeAsync();
            }

            await Cluster.DisposeAsync();
        }
    }
}
