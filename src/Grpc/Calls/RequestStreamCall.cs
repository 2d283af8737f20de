using Google.Protobuf;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc;

/// <summary>A call whose requests are written one by one: the common part of client streaming and duplex.</summary>
internal sealed class RequestStreamCall<TRequest, TResponse> : IAsyncDisposable
    where TRequest : class, IMessage<TRequest>, new()
    where TResponse : class, IMessage<TResponse>, new()
{
    private readonly RequestContent _content = new();
    private readonly int _gzipFromBytes;
    private int _writing;
    private volatile bool _completed;

    public RequestStreamCall(GrpcChannel channel, GrpcMethod<TRequest, TResponse> method, CallOptions? options, CancellationToken cancellationToken)
    {
        _gzipFromBytes = channel.GzipFromBytes(options);
        Method = method;
        Responses = new StreamingCall<TResponse>(channel, method.FullName, method.ResponseParser, _content, () => _content.WasTaken, _gzipFromBytes != int.MaxValue, options, cancellationToken);
        _ = FailWritersWithAsync(Responses.Response);
    }

    public GrpcMethod<TRequest, TResponse> Method { get; }

    public StreamingCall<TResponse> Responses { get; }

    public async ValueTask WriteAsync(TRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (_completed) throw new InvalidOperationException("The requests are completed; nothing can be written after that.");
        if (Interlocked.Exchange(ref _writing, 1) != 0)
            throw new InvalidOperationException("Another write is still waiting; write one request after the other.");
        var lifetime = Responses.Lifetime;
        try
        {
            // A write that stops in the middle leaves half a message on the stream, so a cancelled write ends the call.
            using var registration = cancellationToken.UnsafeRegister(static state => ((CallLifetime)state!).End(EndReason.Caller), lifetime);
            await _content.WriteAsync(request, _gzipFromBytes, lifetime.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not RpcException)
        {
            var translated = Responses.Translate(e);
            if (lifetime.Reason != EndReason.None || translated is not RpcException { Origin: RpcFailureOrigin.InFlight }) throw translated;
            throw new RpcException(
                StatusCode.Unavailable, "The call takes no more requests; its status comes with the responses.", null, RpcFailureOrigin.InFlight, null, e);
        }
        finally
        {
            Volatile.Write(ref _writing, 0);
        }
    }

    public void Complete()
    {
        _completed = true;
        _content.Complete();
    }

    public async ValueTask DisposeAsync()
    {
        await Responses.DisposeAsync().ConfigureAwait(false);
        _content.Complete();
    }

    private async Task FailWritersWithAsync(Task<HttpResponseMessage> response)
    {
        try
        {
            await response.ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The read side throws it; this only passes it on to the write side.
        catch (Exception e)
        {
            _content.Fail(Responses.Translate(e));
        }
#pragma warning restore CA1031
    }
}
