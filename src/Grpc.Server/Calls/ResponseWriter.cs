using System.IO.Pipelines;
using Google.Protobuf;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Frames responses into Kestrel's output, which waits for the client's HTTP/2 windows.</summary>
internal sealed class ResponseWriter<TResponse>(ServerCallContext context) : IResponseWriter<TResponse>
    where TResponse : class, IMessage<TResponse>, new()
{
    private readonly PipeWriter _output = context.Http.Response.BodyWriter;
    private int _writing;

    public ValueTask WriteAsync(TResponse message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (Interlocked.Exchange(ref _writing, 1) != 0)
            throw new InvalidOperationException("Another write is still waiting; write one response after the other.");
        var pending = false;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            context.CancellationToken.ThrowIfCancellationRequested();
            WriteLast(message);

            // The usual case: the client keeps up, and the flush completes at once.
            var flush = _output.FlushAsync(CancellationToken.None);
            if (flush.IsCompletedSuccessfully)
            {
                ThrowIfGone(flush.GetAwaiter().GetResult());
                return ValueTask.CompletedTask;
            }

            pending = true;
            return FinishAsync(flush, cancellationToken);
        }
        finally
        {
            if (!pending) Volatile.Write(ref _writing, 0);
        }
    }

    /// <summary>Buffers a response without sending it: it leaves together with the status.</summary>
    public void WriteLast(TResponse message)
    {
        context.ApplyHead();
        if (context.GzipFromBytes == int.MaxValue) MessageFrame.Write(message, _output);
        else MessageFrame.Write(message, _output, context.GzipFromBytes);
    }

    /// <summary>Buffers the one response of a call, whose size is known before its head is sent.</summary>
    public static void WriteOnly(TResponse message, ServerCallContext context, PipeWriter output)
    {
        var size = MessageFrame.SizeOf(message);
        context.ApplyHead(mayCompress: size - MessageFrame.HeaderBytes >= context.Options.GzipResponsesFromBytes);
        if (context.GzipFromBytes == int.MaxValue) MessageFrame.Write(message, size, output);
        else MessageFrame.Write(message, output, context.GzipFromBytes);
    }

    private async ValueTask FinishAsync(ValueTask<FlushResult> flush, CancellationToken cancellationToken)
    {
        try
        {
            // A waiting flush is cancelled through the pipe: the message is in it already and stays whole.
            await using var callerCancels = Register(cancellationToken);
            await using var callEnds = Register(context.CancellationToken);
            var result = await flush;
            context.IsOutputStuck = result.IsCanceled;
            cancellationToken.ThrowIfCancellationRequested();
            context.CancellationToken.ThrowIfCancellationRequested();
            ThrowIfGone(result);
        }
        finally
        {
            Volatile.Write(ref _writing, 0);
        }
    }

    private CancellationTokenRegistration Register(CancellationToken token) =>
        token.UnsafeRegister(static state => ((PipeWriter)state!).CancelPendingFlush(), _output);

    private void ThrowIfGone(FlushResult result)
    {
        if (result.IsCompleted) throw new OperationCanceledException("The client has gone.", context.Http.RequestAborted);
    }
}
