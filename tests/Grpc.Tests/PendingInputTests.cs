using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Grpc.Tests.Interop;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>Waking a read from a token's callback: what goes wrong there would be thrown at whoever cancels, who has nothing to do with the client.</summary>
public sealed class PendingInputTests
{
    [Fact]
    public async Task A_waiting_read_is_woken()
    {
        var pipe = new Pipe();
        using var cancel = new CancellationTokenSource();
        await using var registration = PendingInput.CancelWith(pipe.Reader, cancel.Token);
        var read = pipe.Reader.ReadAsync();
        Assert.False(read.IsCompleted);
        await cancel.CancelAsync();
        Assert.True((await read.AsTask().WaitAsync(TestTimeouts.Long)).IsCanceled);
    }

    [Fact]
    public async Task Who_cancels_hears_nothing_of_a_stream_that_its_client_has_reset()
    {
        var outcome = new TaskCompletionSource<(Exception? Bare, Exception? Cancelled)>();
        var arrived = new TaskCompletionSource();
        await using var server = await GrpcTestServer.StartRawAsync(async http =>
        {
            using var cancel = new CancellationTokenSource();
            await using var registration = PendingInput.CancelWith(http.Request.BodyReader, cancel.Token);
            var gone = new TaskCompletionSource();
            await using var aborted = http.RequestAborted.Register(gone.SetResult);
            http.Response.ContentType = "application/grpc";
            await http.Response.StartAsync();
            arrived.SetResult();
            await gone.Task;
            var bare = Record.Exception(http.Request.BodyReader.CancelPendingRead);
            outcome.SetResult((bare, Record.Exception(cancel.Cancel)));
        });
        await using var channel = server.Connect();
        var call = channel.OpenDuplex(TestMethods.FullDuplex);
        await arrived.Task.WaitAsync(TestTimeouts.Long);
        await call.DisposeAsync(); // resets the stream
        var (bare, cancelled) = await outcome.Task.WaitAsync(TestTimeouts.Long);
        Assert.NotNull(bare); // Kestrel throws it, so there is something to keep back
        Assert.Null(cancelled);
    }
}
