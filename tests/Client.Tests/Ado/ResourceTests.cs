using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace ReplicatedSqlite.Client.Tests;

[Collection(nameof(Alone))] // it counts what the process holds
public sealed class ResourceTests(LiveCluster cluster)
{
    private const string HundredThousand = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i, i * 2, 'row ' || i, i / 3.0, NULL FROM n";

    [Fact]
    public async Task A_hundred_thousand_rows_are_read_in_bounded_memory()
    {
        await using var source = await cluster.CreateAsync();
        await using var command = source.CreateCommand("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i, zeroblob(1000) FROM n");
        await using var reader = await command.ExecuteReaderAsync();
        var rows = 0;
        var most = 0L;
        GC.Collect();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        while (await reader.ReadAsync())
        {
            if (++rows % 10_000 == 0) most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
        }

        Assert.Equal(100_000, rows);
        Assert.True(most < 40 * 1024 * 1024, $"{most / 1024 / 1024} MiB were held, of about 100 that were read; server included");
    }

    [Fact]
    public async Task Cancelling_in_the_middle_frees_both_sides_at_once()
    {
        await using var source = await cluster.CreateAsync();
        await using var connection = await source.OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"; // without end
        using var cancellation = new CancellationTokenSource();
        await using (var reader = await command.ExecuteReaderAsync(cancellation.Token))
        {
            for (var i = 0; i < 1000; i++) Assert.True(await reader.ReadAsync(cancellation.Token));
            Assert.Equal(1, await RunningAsync(source.Database));
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            {
                while (await reader.ReadAsync(cancellation.Token))
                {
                }
            });
        }

        await UntilNothingRunsAsync(source.Database); // the server has given up, too
        await using (var reader = await command.ExecuteReaderAsync())
        {
            Assert.True(await reader.ReadAsync()); // and leaves it
        }

        await UntilNothingRunsAsync(source.Database);

        command.CommandText = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => command.ExecuteScalarAsync(soon.Token));
        Assert.Equal(soon.Token, e.CancellationToken);
        await UntilNothingRunsAsync(source.Database);
        var running = command.ExecuteScalarAsync();
        await UntilAsync(async () => await RunningAsync(source.Database) == 1);
        command.Cancel();
        Assert.Equal("SQLITE_INTERRUPT", (await Assert.ThrowsAsync<ReplicatedSqliteException>(() => running)).Code);
        command.CommandTimeout = 1;
        await Assert.ThrowsAsync<StatementTimeoutException>(() => command.ExecuteScalarAsync());
        await UntilNothingRunsAsync(source.Database);
        command.CommandText = "SELECT 1";
        for (var i = 0; i < 50; i++) Assert.Equal(1L, await command.ExecuteScalarAsync()); // no reader of the server is held
    }

    [Fact]
    public async Task A_thousand_connections_leave_no_socket_task_or_object_behind()
    {
        var text = await cluster.ConnectionStringAsync();
        using var tasks = new LiveTasks(typeof(ReplicatedSqliteConnection).Assembly);
        var connections = new ConcurrentBag<WeakReference>();
        var before = Sockets();
        await Parallel.ForEachAsync(Enumerable.Range(0, 1000), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, cancellation) =>
        {
            await using var connection = new ReplicatedSqliteConnection(text);
            connections.Add(new WeakReference(connection));
            await connection.OpenAsync(cancellation);
            await using var command = connection.CreateCommand();
            command.CommandText = "SELECT 1";
            await command.ExecuteScalarAsync(cancellation);
        });
        Assert.InRange(Sockets() - before, 0, 8); // both ends of few shared connections are in this process
        ReplicatedSqliteConnection.ClearAllPools();
        await UntilAsync(() => Task.FromResult(Sockets() <= before));
        await UntilAsync(() => Task.FromResult(tasks.Names().Length == 0));
        await UntilAsync(() =>
        {
            GC.Collect();
            return Task.FromResult(connections.Count(connection => connection.IsAlive) <= 16); // what is still on the stack of a worker that rests
        });
    }

    [Fact]
    public async Task Synchronous_calls_never_wait_for_the_context_that_they_block()
    {
        await using var source = await cluster.CreateAsync("CREATE TABLE t (x)");
        await OnSingleThread(() =>
        {
            using var connection = source.OpenConnection();
            using var command = connection.CreateCommand();
            command.CommandText = "INSERT INTO t VALUES (1)";
            command.ExecuteNonQuery();
            command.CommandText = HundredThousand;
            using (var reader = command.ExecuteReader())
            {
                var rows = 0;
                while (reader.Read()) rows++;
                Assert.Equal(100_000, rows);
            }

            using (var transaction = connection.BeginTransaction())
            {
                command.Transaction = transaction;
                command.CommandText = "SELECT count(*) FROM t";
                Assert.Equal(1L, command.ExecuteScalar());
                transaction.Save("a");
                transaction.Commit();
            }

            using var batch = connection.CreateBatch();
            batch.BatchCommands.Add("SELECT 1");
            Assert.Equal(1L, batch.ExecuteScalar());
            Assert.NotEmpty(connection.GetSchema("Tables").Rows);
            using var abandoned = connection.CreateCommand();
            abandoned.CommandText = HundredThousand;
            abandoned.ExecuteReader();
        });
    }

    private async Task<int> RunningAsync(string database) => (await cluster.Admin.ListQueriesAsync(database)).Queries.Count;

    private Task UntilNothingRunsAsync(string database) => UntilAsync(async () => await RunningAsync(database) == 0);

    private static async Task UntilAsync(Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60), $"not in time: {what}");
            await Task.Delay(10);
        }
    }

    private static int Sockets()
    {
        var sockets = 0;
        foreach (var descriptor in new DirectoryInfo("/proc/self/fd").EnumerateFileSystemInfos())
        {
            try
            {
                if (descriptor.LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true) sockets++;
            }
            catch (IOException)
            {
                // Closed in between.
            }
        }

        return sockets;
    }

    private static async Task OnSingleThread(Action work)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(new QueueingContext());
            try
            {
                work();
                ended.SetResult();
            }
            catch (Exception e)
            {
                ended.SetException(e);
            }
        })
        { IsBackground = true };
        thread.Start();
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>As a user interface's: work that is posted waits for the thread, which is blocked.</summary>
    private sealed class QueueingContext : SynchronizationContext
    {
        private readonly ConcurrentQueue<SendOrPostCallback> _never = new();

        public override void Post(SendOrPostCallback d, object? state) => _never.Enqueue(d);

        public override void Send(SendOrPostCallback d, object? state) => throw new InvalidOperationException("The thread is blocked.");
    }
}
