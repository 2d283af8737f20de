using System.Buffers;
using System.Net;
using Google.Protobuf;

namespace ReplicatedSqlite.Grpc;

/// <summary>A request body that is written message by message while the response is already being read.</summary>
internal sealed class RequestContent : HttpContent
{
    private readonly TaskCompletionSource<Stream> _stream = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The handler has sent the call's head: a server may know of the call.</summary>
    public bool WasTaken => _stream.Task.IsCompletedSuccessfully;

    /// <summary>Sends one message; completes when it is handed to the connection, which waits while the peer's window is full.</summary>
    public async ValueTask WriteAsync(IMessage message, int gzipFromBytes, CancellationToken cancellationToken)
    {
        var stream = _stream.Task.IsCompletedSuccessfully
            ? await _stream.Task.ConfigureAwait(false)
            : await _stream.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        var frame = RequestFrame.Serialize(message, gzipFromBytes);
        await stream.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        ArrayPool<byte>.Shared.Return(frame.Array!); // after a failure the connection may still hold it
    }

    /// <summary>Ends the body.</summary>
    public void Complete() => _completed.TrySetResult();

    /// <summary>The connection could not be had: whoever waits to write hears of it.</summary>
    public void Fail(Exception exception)
    {
        if (_stream.TrySetException(exception)) _ = _stream.Task.Exception; // seen, so that nobody is told of an unobserved one
        _completed.TrySetResult();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        // The handler starts again on a new connection when the first one refused the stream; messages already written are gone by then.
        if (!_stream.TrySetResult(stream))
            throw new HttpRequestException(HttpRequestError.ConnectionError, "The server refused the stream.");
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false); // the server may answer before the first message
        await _completed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
