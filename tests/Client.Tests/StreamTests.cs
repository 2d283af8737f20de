using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Client.Tests;

public sealed class StreamTests
{
    [Fact]
    public async Task Parts_come_in_order_for_each_statement()
    {
        var parts = await PartsAsync(
            Answer.Header(0, []), Answer.End(0), Answer.Header(1, ["a"]), Answer.Rows(1, Answer.Batch(1, [1L], [2L])), Answer.Rows(1, Answer.Batch(1, [3L])), Answer.End(1), Answer.Done(4));
        Assert.Collection(
            parts,
            part => Assert.Empty(Assert.IsType<ResultStart>(part).Columns),
            part => Assert.IsType<ResultEnd>(part),
            part => Assert.Equal("a", Assert.Single(Assert.IsType<ResultStart>(part).Columns).Name),
            part => Assert.Equal([1L, 2L], Assert.IsType<ResultRows>(part).Rows.Select(row => row[0])),
            part => Assert.Equal([3L], Assert.IsType<ResultRows>(part).Rows.Select(row => row[0])),
            part => Assert.Equal(1, Assert.IsType<ResultEnd>(part).StatementIndex),
            part => Assert.Equal(Answer.Bookmark(4), Assert.IsType<StreamDone>(part).Bookmark));
    }

    [Fact]
    public async Task A_stream_that_is_cut_short_or_out_of_order_is_an_error()
    {
        var rows = Answer.Rows(0, Answer.Batch(1, [1L]));
        foreach (var messages in new StreamResponse[][]
        {
            [],
            [Answer.Header(0, ["a"]), rows],
            [Answer.Header(0, ["a"]), rows, Answer.End(0)],
            [Answer.Header(0, ["a"]), rows, Answer.Done(1)],
            [rows],
            [Answer.Header(0, ["a"]), Answer.Header(1, ["a"])],
            [Answer.Done(1), Answer.Done(1)],
            [new StreamResponse()],
        })
        {
            await Assert.ThrowsAsync<ReplicatedSqliteException>(() => PartsAsync(messages));
        }
    }

    [Fact]
    public async Task An_error_in_the_middle_comes_after_the_rows_before_it()
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        server.OnStream = async (_, writer, _) =>
        {
            await writer.WriteAsync(Answer.Header(0, ["a"]));
            await writer.WriteAsync(Answer.Rows(0, Answer.Batch(1, [1L])));
            throw new Protocol.RequestException("STATEMENT_TIMEOUT", "too long");
        };
        var seen = new List<object?>();
        var e = await Assert.ThrowsAsync<StatementTimeoutException>(async () =>
        {
            await foreach (var row in client.Database("shop").StreamAsync("SELECT a FROM t")) seen.Add(row[0]);
        });
        Assert.Equal("STATEMENT_TIMEOUT", e.Code);
        Assert.Equal([1L], seen);
    }

    [Fact]
    public async Task Leaving_a_stream_early_and_cancelling_it_reach_the_server()
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        foreach (var cancel in new[] { false, true })
        {
            var gone = new TaskCompletionSource();
            server.OnStream = async (_, writer, context) =>
            {
                try
                {
                    await writer.WriteAsync(Answer.Header(0, ["a"]));
                    await writer.WriteAsync(Answer.Rows(0, Answer.Batch(1, [1L])));
                    await Task.Delay(Timeout.Infinite, context.CancellationToken);
                }
                finally
                {
                    gone.TrySetResult();
                }
            };
            using var source = new CancellationTokenSource();
            async Task ReadAsync()
            {
                await foreach (var row in client.Database("shop").StreamAsync("SELECT a FROM t", null, null, source.Token))
                {
                    if (!cancel) break;
                    await source.CancelAsync();
                }
            }

            if (cancel) await Assert.ThrowsAnyAsync<OperationCanceledException>(ReadAsync);
            else await ReadAsync();
            await gone.Task.WaitAsync(TimeSpan.FromSeconds(60));
        }
    }

    [Fact]
    public async Task Cancelling_a_call_is_a_cancellation_and_reaches_the_server()
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        var arrived = new TaskCompletionSource();
        var gone = new TaskCompletionSource();
        server.OnExecute = async (_, context) =>
        {
            arrived.SetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            }
            finally
            {
                gone.SetResult();
            }

            return new ExecuteResponse();
        };
        using var source = new CancellationTokenSource();
        var call = client.Database("shop").ExecuteAsync("SELECT 1", null, null, source.Token);
        await arrived.Task;
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await gone.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    private static async Task<List<StreamPart>> PartsAsync(params StreamResponse[] messages)
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        server.OnStream = async (request, writer, _) =>
        {
            Assert.True(request.Script);
            foreach (var message in messages) await writer.WriteAsync(message);
        };
        var parts = new List<StreamPart>();
        await foreach (var part in client.Database("shop").StreamScriptAsync("…")) parts.Add(part);
        return parts;
    }
}
