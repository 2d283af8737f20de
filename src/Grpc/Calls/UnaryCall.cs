using System.Buffers;
using System.Runtime.CompilerServices;
using Google.Protobuf;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc;

/// <summary>The path of most calls: one message each way.</summary>
internal static class UnaryCall
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<TResponse> SendAsync<TRequest, TResponse>(
        GrpcChannel channel,
        GrpcMethod<TRequest, TResponse> method,
        TRequest request,
        CallOptions? options,
        ReceivedMetadata? received,
        CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(request);
        cancellationToken.ThrowIfCancellationRequested();
        var lifetime = options?.Timeout is { } timeout ? CallLifetime.Rent(timeout, channel.Options.TimeProvider, cancellationToken) : null;
        var token = lifetime?.Token ?? cancellationToken;
        FramedContent? content = null;
        var hasEnded = false; // the handler is done with its token
        try
        {
            var frame = RequestFrame.Serialize(request, channel.GzipFromBytes(options));

            content = new FramedContent(frame);
            using var response = await channel.SendAsync(method.FullName, content, RequestFrame.IsCompressed(frame), options, token).ConfigureAwait(false);
            ArrayPool<byte>.Shared.Return(frame.Array!); // all is sent once the response's head is there; after a failure the handler may still be reading it

            if (received is not null) received.Headers = ResponseHead.Headers(response);
            ResponseHead.Check(response);
            var body = await response.Content.ReadAsStreamAsync(token).ConfigureAwait(false);
            using var reader = new MessageReader<TResponse>(response, body, method.ResponseParser, channel.Options.MaxMessageBytes);
            var hasMessage = await reader.ReadAsync(token).ConfigureAwait(false);
            var message = reader.Current;
            if (hasMessage && await reader.ReadAsync(token).ConfigureAwait(false))
                throw new RpcException(StatusCode.Unimplemented, $"{method} has one response, but the server sent more.");
            hasEnded = true;
            ResponseHead.CheckEnd(response);
            if (received is not null) received.Trailers = ResponseHead.Trailers(response);
            return hasMessage ? message : throw new RpcException(StatusCode.Unimplemented, $"{method} ended with OK, but the server sent no response.");
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw TransportFailure.Translate(e, channel.Address, content is { WasTaken: true }, lifetime, cancellationToken);
        }
        finally
        {
            if (hasEnded) lifetime?.Release();
            else lifetime?.Dispose();
        }
    }
}
