using System.Threading.Channels;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>Reads that outlast so many writes that the WAL has grown much too long: they are ended, with a reason, and the writes go on.</summary>
public sealed class LongReadTests
{
    private const string Insert = "INSERT INTO t VALUES (randomblob(10000))";
    private const int Rows = 3000; // each 10 kB: a thousand times the limit of the WAL

    [Fact]
    public async Task A_statement_that_runs_for_long_is_ended_and_writes_go_on()
    {
        await using var primary = await StartAsync();
        var read = primary.Execute("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c, (SELECT 1 FROM t)");
        await WriteUntilAsync(primary, read);
        IsInTheWay(await PrimaryFixture.RefusedAsync(read));
        await CheckShortAsync(primary);
    }

    [Fact]
    public async Task A_stream_whose_client_takes_its_time_is_ended_and_writes_go_on()
    {
        await using var primary = await StartAsync();
        await primary.WriteAsync("INSERT INTO t WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 20000) SELECT x FROM c");
        var request = new StreamRequest { Database = primary.Database.ToString(), Read = new ReadOptions { Session = "first-primary" } };
        request.Statements.Add(new Statement { Sql = "SELECT x FROM t" });
        var parts = primary.Grain.StreamAsync(request, ReadConstraint.Parse(request.Read, primary.Database, PrimaryFixture.Patience, Caller.Anonymous), default).GetAsyncEnumerator();
        await using (parts)
        {
            Assert.True(await parts.MoveNextAsync());
            await WriteAsync(primary);
            IsInTheWay(await Assert.ThrowsAsync<RequestException>(async () =>
            {
                while (await parts.MoveNextAsync())
                {
                }
            }));
        }

        await CheckShortAsync(primary);
    }

    [Fact]
    public async Task A_transaction_that_only_reads_is_ended_and_writes_go_on()
    {
        await using var primary = await StartAsync();
        var steps = Channel.CreateUnbounded<TransactRequest>();
        var answers = Channel.CreateUnbounded<TransactResponse>();
        using var reading = new CancellationTokenSource();
        await using var enumerator = steps.Reader.ReadAllAsync(reading.Token).GetAsyncEnumerator(reading.Token);
        var call = new TransactCall(enumerator, (response, token) => answers.Writer.WriteAsync(response, token), reading);
        var options = new ReadOptions { Session = "first-primary" };
        var hour = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromHours(1));
        var transaction = primary.Grain.TransactAsync(
            new() { ReadOnly = true, IdleTimeout = hour, TotalTimeout = hour }, call, ReadConstraint.Parse(options, primary.Database, PrimaryFixture.Patience, Caller.Anonymous), default);
        Assert.NotNull((await answers.Reader.ReadAsync()).Done);
        await WriteUntilAsync(primary, transaction);
        var failure = (await answers.Reader.ReadAsync()).Failed;
        Assert.Equal(ErrorCodes.TransactionExpired, failure.Error.Code);
        Assert.Contains("the WAL had to be restarted", failure.Message, StringComparison.Ordinal);
        await CheckShortAsync(primary);
    }

    private static async Task<PrimaryFixture> StartAsync()
    {
        var primary = await PrimaryFixture.StartAsync(new PrimaryOptions
        {
            CheckpointBytes = 20_000, RestartWalBytes = 30_000, IdleCheckpoint = TimeSpan.FromMilliseconds(50), Readers = new() { PatienceWithReads = TimeSpan.FromMilliseconds(20) },
        });
        await primary.WriteAsync("CREATE TABLE t (x)");
        await primary.WriteAsync(Insert); // from here on its text is known to write: it is not looked at behind the long read
        return primary;
    }

    private static async Task WriteUntilAsync(PrimaryFixture primary, Task read)
    {
        for (var i = 0; i < Rows && !read.IsCompleted; i++)
        {
            await primary.WriteAsync(Insert);
        }

        await read.WaitAsync(PrimaryFixture.Patience).ContinueWith(static _ => { }, TaskScheduler.Default);
        Assert.True(read.IsCompleted, "The read goes on.");
    }

    private static async Task WriteAsync(PrimaryFixture primary)
    {
        for (var i = 0; i < 100; i++)
        {
            await primary.WriteAsync(Insert);
        }
    }

    private static void IsInTheWay(RequestException ended)
    {
        Assert.Equal(ErrorCodes.StatementTimeout, ended.Error.Code);
        Assert.Contains("the WAL had to be restarted", ended.Message, StringComparison.Ordinal);
    }

    // The WAL is restarted again, and reads are answered.
    private static async Task CheckShortAsync(PrimaryFixture primary)
    {
        await WriteAsync(primary);
        Assert.InRange(new FileInfo(primary.File + "-wal").Length, 0, 600_000);
        Assert.True(await primary.NumberAsync("SELECT count(*) FROM t") > 100);
    }
}
