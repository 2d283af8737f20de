using System.Diagnostics;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Client.Tests;

public sealed class FailoverTests(LiveCluster cluster)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_node_that_hangs_or_is_killed_is_left_soon_and_no_write_is_lost_or_doubled(bool hangs)
    {
        await using var maker = await cluster.CreateAsync("CREATE TABLE t (x INTEGER)");
        await using var proxy = new PausableProxy(cluster.Endpoints[1]);
        await using var source = ReplicatedSqliteDataSource.Create(
            $"Endpoint={proxy.Endpoint},{cluster.Endpoints[2]};Database={maker.Database};Idempotent Writes=true;Retry Timeout=60");
        var stop = new CancellationTokenSource();
        var longest = TimeSpan.Zero;
        var reads = 0;
        var reader = Task.Run(async () =>
        {
            var session = source.WithSession();
            while (!stop.IsCancellationRequested)
            {
                var started = Stopwatch.GetTimestamp();
                Assert.NotNull(await session.QueryScalarAsync<object>("SELECT count(*) FROM t"));
                var elapsed = Stopwatch.GetElapsedTime(started);
                if (elapsed > longest) longest = elapsed;
                Interlocked.Increment(ref reads);
            }
        });
        var acknowledged = 0;
        var writer = Task.Run(async () =>
        {
            await using var connection = await source.OpenConnectionAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = "INSERT INTO t VALUES (@x)";
            var x = command.Parameters.AddWithValue("@x", 0);
            while (!stop.IsCancellationRequested)
            {
                x.Value = acknowledged;
                Assert.Equal(1, await command.ExecuteNonQueryAsync());
                Interlocked.Increment(ref acknowledged);
            }
        });
        await Until(() => Volatile.Read(ref reads) > 20 && Volatile.Read(ref acknowledged) > 20);
        if (hangs) proxy.Hang();
        else proxy.Kill();
        var (readsThen, writesThen) = (Volatile.Read(ref reads), Volatile.Read(ref acknowledged));
        await Until(() => Volatile.Read(ref reads) > readsThen + 20 && Volatile.Read(ref acknowledged) > writesThen + 20);
        await stop.CancelAsync();
        await Task.WhenAll(reader, writer);
        TestContext.Current.TestOutputHelper?.WriteLine($"longest read: {longest.TotalMilliseconds:0} ms");
        if (Seeds.IsFull) Assert.True(longest < TimeSpan.FromSeconds(1), $"a read took {longest.TotalMilliseconds:0} ms"); // a promise for machines that have time
        await using var count = maker.CreateCommand("SELECT count(*) || ' ' || count(DISTINCT x) FROM t");
        Assert.Equal($"{acknowledged} {acknowledged}", await count.ExecuteScalarAsync());
    }

    [Fact]
    public async Task A_write_without_a_key_is_not_made_again_when_the_connection_breaks()
    {
        await using var server = await FakeServer.StartAsync();
        await using var other = await FakeServer.StartAsync();
        var calls = 0;
        server.OnExecute = (_, context) =>
        {
            Interlocked.Increment(ref calls);
            throw new Grpc.RpcException(Protocol.StatusCode.Unavailable, "cut");
        };
        other.OnExecute = server.OnExecute;
        await using var source = ReplicatedSqliteDataSource.Create($"Endpoint={server.Address},{other.Address};Database=shop");
        await using var command = source.CreateCommand("INSERT INTO t VALUES (1)");
        var e = await Assert.ThrowsAsync<WriteOutcomeUnknownException>(() => command.ExecuteNonQueryAsync());
        Assert.Equal((false, 1), (e.IsTransient, calls));
    }

    [Theory]
    [InlineData("NO_PRIMARY")]
    [InlineData("OVERLOADED")]
    [InlineData("TOKEN_INVALID")]
    [InlineData("refused")]
    [InlineData("SQLITE_CONSTRAINT_UNIQUE")]
    [InlineData("IDEMPOTENCY_KEY_REUSED")]
    public async Task A_keyed_write_whose_first_attempt_was_lost_is_not_committed_only_if_a_later_one_looked_for_the_key(string then)
    {
        await using var server = await FakeServer.StartAsync();
        var calls = 0;
        Task? stopped = null;
        server.OnExecute = async (_, context) =>
        {
            if (Interlocked.Increment(ref calls) > 1) throw new Protocol.RequestException(then, "later");
            if (then == "refused")
            {
                stopped = server.AbortAsync(); // the connection breaks while the call is under way, and nobody listens from then on
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            }

            throw new Grpc.RpcException(Protocol.StatusCode.Unavailable, "cut");
        };
        await using var source = ReplicatedSqliteDataSource.Create($"Endpoint={server.Address};Database=shop;Idempotent Writes=true;Retry Timeout=0.5");
        await using var command = source.CreateCommand("INSERT INTO t VALUES (1)");
        var e = await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(() => command.ExecuteNonQueryAsync());
        if (stopped is not null) await stopped;
        if (then.StartsWith("SQLITE_", StringComparison.Ordinal) || then == "IDEMPOTENCY_KEY_REUSED")
        {
            Assert.Equal((then, CommitState.NotCommitted), (e.Code, e.CommitState));
            return;
        }

        Assert.Equal(("WRITE_OUTCOME_UNKNOWN", CommitState.Unknown, true), (e.Code, e.CommitState, e.IsTransient));
        Assert.IsType<WriteOutcomeUnknownException>(e);
    }

    [Fact]
    public async Task Retries_wait_as_long_as_the_server_asks_and_end_with_their_time()
    {
        await using var server = await FakeServer.StartAsync();
        var calls = new List<long>();
        server.OnExecute = (_, _) =>
        {
            calls.Add(Stopwatch.GetTimestamp());
            if (calls.Count == 3) return new(Answer.With(Answer.Table(["a"], [5L])));
            throw new Protocol.RequestException(
                new Protocol.V1.SqlError
                {
                    Code = Protocol.ErrorCodes.Overloaded,
                    Retryable = true,
                    CommitState = Protocol.V1.CommitState.NotCommitted,
                    RetryAfter = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromMilliseconds(120)),
                },
                "busy");
        };
        await using var source = ReplicatedSqliteDataSource.Create($"Endpoint={server.Address};Database=shop");
        await using var command = source.CreateCommand("INSERT INTO t VALUES (1) RETURNING 5"); // nothing was done, so it is made again even without a key
        Assert.Equal(5L, await command.ExecuteScalarAsync());
        Assert.True(Stopwatch.GetElapsedTime(calls[0], calls[1]) >= TimeSpan.FromMilliseconds(115));
        calls.Clear();
        calls.AddRange([0, 0, 0]);
        await using var impatient = ReplicatedSqliteDataSource.Create($"Endpoint={server.Address};Database=shop;Retry Timeout=0.3");
        await using var again = impatient.CreateCommand("SELECT 1");
        await Assert.ThrowsAsync<UnavailableException>(() => again.ExecuteScalarAsync());
        Assert.InRange(calls.Count, 4, 7); // two or three after the first, unless the machine was slow
    }

    private static async Task Until(Func<bool> condition)
    {
        var started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60), "not in time");
            await Task.Delay(5);
        }
    }
}
