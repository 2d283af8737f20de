using System.Net;
using System.Net.Sockets;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>How the executable starts, stops, and refuses to start.</summary>
public sealed class StopTests
{
    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_signal_stops_the_process_cleanly_and_it_starts_again_with_everything_kept(string signal)
    {
        using var folder = new TemporaryFolder();
        Bookmark bookmark;
        await using (var node = await NodeProcess.StartAsync(folder.Path))
        {
            var clients = node.Connect();
            await clients[1].Admin.CreateDatabaseAsync("kept");
            var session = clients[1].Database("kept").WithSession(Session.FirstPrimary);
            await session.ScriptAsync("CREATE TABLE t (x); INSERT INTO t VALUES (1), (2), (3)");
            bookmark = session.Bookmark!.Value;
            await clients[0].Database("kept").WithSession(bookmark).QueryAsync("SELECT * FROM t");
            Assert.Equal(0, await node.SignalAsync(signal));
            Assert.Equal("stopped", node.Output[^1]);
            Assert.Equal("", node.Errors);
        }

        await using (var node = await NodeProcess.StartAsync(folder.Path))
        {
            foreach (var client in node.Connect())
            {
                Assert.Equal(6, await client.Database("kept").WithSession(bookmark).QueryScalarAsync<long>("SELECT sum(x) FROM t"));
            }

            Assert.Equal(0, await node.SignalAsync(signal));
        }
    }

    [Fact]
    public async Task A_stop_under_load_loses_no_answered_write()
    {
        var seed = Dose.Seed();
        using var folder = new TemporaryFolder();
        var writers = new KeyWriters();
        await using (var node = await NodeProcess.StartAsync(folder.Path))
        {
            var clients = node.Connect();
            await clients[0].Admin.CreateDatabaseAsync("kv");
            await clients[0].Database("kv").ExecuteAsync(KeyWriters.Schema);
            using var stop = new CancellationTokenSource();
            var load = writers.RunAsync(clients, 0, seed, stop.Token);
            await Eventually.TrueAsync(() => writers.Answered > 200, "the load runs");
            Assert.Equal(0, await node.SignalAsync("TERM"));
            await stop.CancelAsync();
            await load.InTimeAsync(TimeSpan.FromSeconds(60));
        }

        await using (var node = await NodeProcess.StartAsync(folder.Path))
        {
            var rows = await node.Connect()[2].Database("kv").WithSession(writers.Bookmarks.Max())
                .StreamAsync("SELECT batch, count(*), count(DISTINCT part) FROM kv GROUP BY batch").ToListAsync();
            writers.Check(rows.ToDictionary(row => row.GetString(0), row => (row.GetInt64(1), row.GetInt64(2))), "after a clean stop");
        }
    }

    [Fact]
    public async Task A_second_process_on_the_same_folder_is_refused()
    {
        using var folder = new TemporaryFolder();
        await using var node = await NodeProcess.StartAsync(folder.Path);
        await node.Connect()[0].Admin.CreateDatabaseAsync("first");
        var (code, output, errors) = await NodeProcess.RunToEndAsync("--data", folder.Path, "--grpc-port", "0", "--http-port", "0");
        Assert.Equal(1, code);
        Assert.DoesNotContain("ready", output);
        Assert.Contains("in use", errors);
        Assert.Contains(folder.Path, errors);
        Assert.Equal(1, await node.Connect()[0].Database("first").QueryScalarAsync<long>("SELECT 1"));
    }

    [Fact]
    public async Task A_taken_port_is_named()
    {
        using var folder = new TemporaryFolder();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var (code, _, errors) = await NodeProcess.RunToEndAsync("--data", folder.Path, "--grpc-port", $"{port}", "--http-port", "0", "--regions", "one");
        Assert.Equal(1, code);
        Assert.Contains($"{port}", errors);
        Assert.DoesNotContain("   at ", errors);

        await using var again = await NodeProcess.StartAsync(folder.Path); // the failed start left nothing that is in the way
    }

    [Fact]
    public async Task Wrong_options_are_explained()
    {
        using var folder = new TemporaryFolder();
        foreach (var arguments in (string[][])[["--regions", "a,a"], ["--delay", "nowhere=1s"], ["--delay", "enam=soon"], ["--grpc-port", "x"]])
        {
            var (code, _, errors) = await NodeProcess.RunToEndAsync(["--data", folder.Path, .. arguments]);
            Assert.Equal(1, code);
            Assert.NotEmpty(errors);
            Assert.DoesNotContain("   at ", errors);
        }
    }
}
