using System.Diagnostics;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>The ADO.NET client beside processes that hang and are killed: it goes on at another node, and every write is there once.</summary>
public sealed class ClientFailoverTests
{
    private const string Name = "d";

    [Fact]
    public async Task The_node_that_a_client_talks_to_hangs_and_is_killed_and_the_client_goes_on_at_another()
    {
        ProcessCluster.SkipIfMissing();
        await using var cluster = await ProcessCluster.StartAsync();
        await cluster.Nodes[0].Client.Admin.CreateDatabaseAsync(Name); // its primary is at node 0, which stays
        await cluster.Database(0, Name).ExecuteAsync("CREATE TABLE t (x INTEGER)");
        await using var source = ReplicatedSqliteDataSource.Create(
            $"Endpoint={cluster.Nodes[1].GrpcAddress.Authority},{cluster.Nodes[2].GrpcAddress.Authority};Database={Name};Idempotent Writes=true;Retry Timeout=60");
        using var stop = new CancellationTokenSource();
        var (reads, written, longest) = (0, 0, TimeSpan.Zero);
        var session = source.WithSession();
        var reading = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var started = Stopwatch.GetTimestamp();
                Assert.NotNull(await session.QueryScalarAsync<object>("SELECT count(*) FROM t"));
                var elapsed = Stopwatch.GetElapsedTime(started);
                if (elapsed > longest) longest = elapsed;
                Interlocked.Increment(ref reads);
            }
        });
        var writing = Task.Run(async () =>
        {
            await using var connection = await source.OpenConnectionAsync();
            await using var command = new ReplicatedSqliteCommand("INSERT INTO t VALUES (@x)", connection);
            var x = command.Parameters.AddWithValue("@x", 0);
            while (!stop.IsCancellationRequested)
            {
                x.Value = written;
                Assert.Equal(1, await command.ExecuteNonQueryAsync());
                Interlocked.Increment(ref written);
            }
        });
        await GoOnAsync(20);
        var first = await TalksToAsync();
        longest = TimeSpan.Zero;
        await cluster.Nodes[first].FreezeAsync();
        await GoOnAsync(20);
        Tell("SIGSTOP");
        await cluster.Nodes[first].ThawAsync();
        await GoOnAsync(20);
        var second = await TalksToAsync();
        longest = TimeSpan.Zero;
        await cluster.Nodes[second].KillAsync();
        await GoOnAsync(20);
        Tell("SIGKILL");
        await stop.CancelAsync();
        await Task.WhenAll(reading, writing);
        var there = await cluster.Database(0, Name).QueryAsync("SELECT count(*), count(DISTINCT x), max(x) FROM t");
        Assert.Equal([(long)written, (long)written, written - 1L], there.Rows[0].ToArray());

        async Task GoOnAsync(int more)
        {
            var (readsThen, writtenThen) = (Volatile.Read(ref reads), Volatile.Read(ref written));
            var started = Stopwatch.GetTimestamp();
            while (Volatile.Read(ref reads) < readsThen + more || Volatile.Read(ref written) < writtenThen + more)
            {
                if (reading.IsCompleted) await reading;
                if (writing.IsCompleted) await writing;
                Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60), $"{reads - readsThen} reads and {written - writtenThen} writes in a minute\n{cluster}");
                await Task.Delay(5);
            }
        }

        // A replica in the node's own region answers, so who answers is who was asked.
        async Task<int> TalksToAsync()
        {
            var answer = await session.ExecuteAsync("SELECT 1");
            return cluster.Nodes.Single(node => node.Id == answer.Served.Node).Number is var number && number > 0 ? number : 1;
        }

        void Tell(string what)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"longest read beside {what}: {longest.TotalMilliseconds:F0} ms");
            if (Dose.IsFull) Assert.True(longest < TimeSpan.FromSeconds(1), $"a read took {longest.TotalMilliseconds:F0} ms beside {what}"); // a promise for machines that have time
        }
    }
}
