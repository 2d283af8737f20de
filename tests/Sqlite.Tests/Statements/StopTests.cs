using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;
using static ReplicatedSqlite.Sqlite.Tests.SqlBench;

namespace ReplicatedSqlite.Sqlite.Tests;

public sealed class StopTests
{
    private const string Forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

    [Fact]
    public void A_read_over_its_time_is_stopped_and_the_next_runs()
    {
        using var bench = new SqlBench();
        var error = Refused(() => bench.Read(new SqlRequest([With("SELECT 1"), With(Forever)]) { Timeout = TimeSpan.FromMilliseconds(20) }), ErrorCodes.StatementTimeout);
        Assert.Equal(StatusCode.DeadlineExceeded, error.Status);
        Assert.Equal(1, error.Error.StatementIndex);
        Assert.Equal("1", bench.Rows("SELECT 1"));
    }

    [Fact]
    public void A_read_whose_caller_goes_is_stopped_and_the_next_runs()
    {
        using var bench = new SqlBench();
        using var gone = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
        Assert.ThrowsAny<OperationCanceledException>(() => bench.Read(new SqlRequest([With(Forever)]) { Cancellation = gone.Token }));
        Assert.Equal("1", bench.Rows("SELECT 1"));
    }

    [Fact]
    public async Task A_statement_that_is_interrupted_from_outside_says_that_it_may_be_tried_again()
    {
        using var bench = new SqlBench();
        var started = new TaskCompletionSource();
        var read = Task.Run(() =>
        {
            Assert.True(PreparedRead.TryPrepare(bench.Reader, Sql(Forever), null, out var read));
            using (read)
            {
                read!.BeginSnapshot();
                started.SetResult();
                return Refused(() => read.MoveNext(), ErrorCodes.CopyStale);
            }
        });
        await started.Task;
        while (!read.IsCompleted)
        {
            bench.Reader.Connection.Interrupt(); // again and again: the statement may not have started
            await Task.Yield();
        }

        Assert.True((await read).Error.Retryable);
    }

    [Fact]
    public void A_slow_caller_of_a_stream_is_stopped_when_the_time_is_over()
    {
        var clock = new ManualTime();
        using var bench = new SqlBench(options: new QueryConnectionOptions { Time = clock });
        Assert.True(PreparedRead.TryPrepare(bench.Reader, new SqlRequest([With("VALUES (1), (2)")]) { BatchRows = 1, Timeout = TimeSpan.FromSeconds(1) }, null, out var read));
        using (read)
        {
            Assert.True(read!.MoveNext());
            Assert.True(read.MoveNext());
            clock.Advance(TimeSpan.FromSeconds(2));
            Refused(() => read.MoveNext(), ErrorCodes.StatementTimeout);
        }

        Assert.Equal("1", bench.Rows("SELECT 1"));
    }

    [Fact]
    public void Statements_are_kept_up_to_a_bound_and_those_in_use_are_not_shared()
    {
        using var bench = new SqlBench(options: new QueryConnectionOptions { MaxCachedStatements = 8 });
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal($"{i}", bench.Rows($"SELECT {i}"));
        }

        Assert.Equal(8, bench.Reader.CachedStatements);
        Assert.True(PreparedRead.TryPrepare(bench.Reader, Sql("SELECT 49", "SELECT 1", "SELECT 49"), null, out var read));
        using (read)
        {
            Assert.Equal("49,1,49", string.Join(',', ResultCollector.Collect(read!).Select(Show)));
        }

        var many = Enumerable.Range(0, 30).Select(i => $"SELECT {i}").ToArray(); // more than are kept, all in use at once
        Assert.Equal(Enumerable.Range(0, 30).Select(i => $"{i}"), bench.Read(Sql(many)).Select(Show));
        Assert.Equal(8, bench.Reader.CachedStatements);
    }
}
