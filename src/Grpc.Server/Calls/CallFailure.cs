using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Answers a call whose handler, or whose request, failed.</summary>
internal static partial class CallFailure
{
    private const int CancelErrorCode = 0x8; // RFC 9113, section 7

    public static void Answer(HttpContext http, ServerCallContext? context, Exception exception, ILogger logger)
    {
        if (context is { IsOutputStuck: true } && http.Features.Get<IHttpResetFeature>() is { } stream)
        {
            stream.Reset(CancelErrorCode); // a status would wait behind what the client does not read
            return;
        }

        if (context?.EndReason is { } reason && exception is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
        {
            exception = reason;
        }

        var metadata = context?.TrailersIfAny;
        switch (exception)
        {
            case RpcException rpc:
                StatusWriter.Write(http, rpc.StatusCode, rpc.Detail, Join(metadata, rpc.Trailers), rpc.RichBytes.Span);
                break;
            case RequestException request:
                var rich = new Google.Rpc.Status { Code = (int)request.Status, Message = request.Message, Details = { Any.Pack(request.Error) } };
                StatusWriter.Write(http, request.Status, request.Message, metadata, rich.ToByteArray());
                break;
            case MessageTooLargeException:
                StatusWriter.Write(http, StatusCode.ResourceExhausted, exception.Message, metadata);
                break;
            case OperationCanceledException or ConnectionResetException or ConnectionAbortedException when http.RequestAborted.IsCancellationRequested:
                break; // nobody is left to read an answer
            case OperationCanceledException when context is { DeadlinePassed: true }:
                StatusWriter.Write(http, StatusCode.DeadlineExceeded, "The deadline passed before the call ended.", metadata);
                break;
            case OperationCanceledException when context is { IsServerStopping: true }:
                StatusWriter.Write(http, StatusCode.Unavailable, "The server is stopping and could not wait for the end of the call.", metadata);
                break;
            case OperationCanceledException:
                StatusWriter.Write(http, StatusCode.Cancelled, "The call was cancelled by the server.", metadata);
                break;
            case BadHttpRequestException bad:
                StatusWriter.Write(http, StatusCode.Internal, "The request's body cannot be read: " + bad.Message, metadata);
                break;
            default:
                if (http.RequestAborted.IsCancellationRequested) break;
                HandlerFailed(logger, exception, http.Request.Path);
                StatusWriter.Write(http, StatusCode.Internal, "The server failed inside; its log says how.", metadata);
                break;
        }
    }

    private static Metadata? Join(Metadata? first, Metadata second)
    {
        if (first is null || second.Count == 0) return first ?? second;
        var joined = new Metadata();
        foreach (var entry in first.Concat(second)) joined.AddFromWire(entry.Name, entry.Value);
        return joined;
    }

    [LoggerMessage(1101, LogLevel.Error, "A handler of {Method} failed")]
    private static partial void HandlerFailed(ILogger logger, Exception exception, string method);
}
