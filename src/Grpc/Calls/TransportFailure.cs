using System.Net.Http;
using System.Net.Sockets;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc;

/// <summary>Turns what HttpClient throws into what a gRPC caller expects.</summary>
/// <remarks>The codes of reset streams follow "gRPC over HTTP2", section "Errors".</remarks>
internal static class TransportFailure
{
    /// <param name="exception">What was thrown.</param>
    /// <param name="address">The server's.</param>
    /// <param name="wasTaken">Whether the handler has begun to send the request's body. Before that no server has a request to act on, whatever went wrong.</param>
    /// <param name="lifetime">What may have ended the call from this side.</param>
    /// <param name="callerToken">The caller's.</param>
    public static Exception Translate(Exception exception, Uri address, bool wasTaken, CallLifetime? lifetime, CancellationToken callerToken)
    {
        switch (lifetime?.Reason ?? EndReason.None)
        {
            case EndReason.Deadline:
                return new RpcException(StatusCode.DeadlineExceeded, "The deadline passed before the call ended.", null, RpcFailureOrigin.InFlight, null, exception);
            case EndReason.Caller:
                return new OperationCanceledException("The call was cancelled by its caller.", exception, lifetime!.CallerToken);
            case EndReason.Disposed:
                return new OperationCanceledException("The call was disposed before it ended.", exception);
            case EndReason.None:
            default:
                break;
        }

        if (callerToken.IsCancellationRequested)
            return new OperationCanceledException("The call was cancelled by its caller.", exception, callerToken);
        return exception switch
        {
            RpcException => exception,
            MessageTooLargeException => Failure(StatusCode.ResourceExhausted, exception.Message, RpcFailureOrigin.InFlight, exception),
            Google.Protobuf.InvalidProtocolBufferException =>
                Failure(StatusCode.Internal, "The response is no message of the expected type: " + exception.Message, RpcFailureOrigin.InFlight, exception),
            HttpRequestException or IOException or SocketException when !wasTaken =>
                Failure(StatusCode.Unavailable, $"No connection to {address}: {exception.Message}", RpcFailureOrigin.NotSent, exception),
            _ when IsUnprocessed(exception) =>
                Failure(StatusCode.Unavailable, $"{address} turned the call away before looking at it: {(exception.InnerException ?? exception).Message}", RpcFailureOrigin.NotSent, exception),
            _ when Find<HttpProtocolException>(exception) is { } protocol => OfErrorCode(protocol.ErrorCode, address, exception),
            HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.VersionNegotiationError } =>
                Failure(StatusCode.Unavailable, $"No connection to {address}: {exception.Message}", RpcFailureOrigin.NotSent, exception),
            HttpRequestException or IOException or SocketException or ObjectDisposedException =>
                Failure(StatusCode.Unavailable, $"The connection to {address} broke during the call: {exception.Message}", RpcFailureOrigin.InFlight, exception),

            // The handler reports its own connect timeout as a cancellation with this inside.
            OperationCanceledException when Find<TimeoutException>(exception) is not null =>
                Failure(StatusCode.Unavailable, $"No connection to {address} in time.", RpcFailureOrigin.NotSent, exception),
            OperationCanceledException => Failure(StatusCode.Cancelled, "The call was cancelled.", RpcFailureOrigin.InFlight, exception),
            _ => exception,
        };
    }

    // A GOAWAY names the last stream that the server has looked at, and a refused stream says it of itself. The handler then tries the request elsewhere, and when it
    // gives up, it wraps the error in words of its own, or, if the connection was shut before the stream was opened, has no error to wrap. Every other protocol error it
    // passes on in the error's own words, as it does when the GOAWAY covers the stream.
    private static bool IsUnprocessed(Exception exception) =>
        exception is HttpRequestException && (exception.InnerException is null || (exception.InnerException is HttpProtocolException inner && exception.Message != inner.Message));

    private static RpcException OfErrorCode(long code, Uri address, Exception exception) => code switch
    {
        0x0 => Failure(StatusCode.Unavailable, $"{address} closed the connection before the call had ended.", RpcFailureOrigin.InFlight, exception),

        // HttpClient reports a ping that was not answered in time as this; servers have hardly another use for it.
        0x1 => Failure(StatusCode.Unavailable, $"The connection to {address} is dead: a ping was not answered, or not in HTTP/2.", RpcFailureOrigin.InFlight, exception),
        0x7 => Failure(StatusCode.Unavailable, $"{address} refused the stream.", RpcFailureOrigin.NotSent, exception),
        0x8 => Failure(StatusCode.Cancelled, $"{address} cancelled the call.", RpcFailureOrigin.InFlight, exception),
        0xb => Failure(StatusCode.ResourceExhausted, $"{address} asks for less load (ENHANCE_YOUR_CALM).", RpcFailureOrigin.InFlight, exception),
        0xc => Failure(StatusCode.PermissionDenied, $"{address} asks for better transport security.", RpcFailureOrigin.InFlight, exception),
        _ => Failure(StatusCode.Internal, $"{address} ended the stream with HTTP/2 error 0x{code:x}.", RpcFailureOrigin.InFlight, exception),
    };

    private static RpcException Failure(StatusCode code, string text, RpcFailureOrigin origin, Exception inner) => new(code, text, null, origin, null, inner);

    private static T? Find<T>(Exception? exception)
        where T : Exception
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is T found) return found;
        }

        return null;
    }
}
