using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Runs the calls of one rpc that streams.</summary>
internal sealed class StreamingEndpoint<TRequest, TResponse>(
    GrpcMethod<TRequest, TResponse> method,
    Func<RequestStream<TRequest>, ResponseWriter<TResponse>, ServerCallContext, ValueTask> handler,
    GrpcServerOptions options,
    CallDrain drain,
    ILogger logger)
    where TRequest : class, IMessage<TRequest>, new()
    where TResponse : class, IMessage<TResponse>, new()
{
    private readonly Func<ServerCallContext, ValueTask>? _guard = options.Guard?.CheckOf(method.Service, method.Name);
    private readonly RequestParser<TRequest> _parser = new(method.RequestParser, options.MaxRequestBytes, method.ReportsSqlErrors);
    private readonly bool _streamsRequests = method.Kind is MethodKind.ClientStreaming or MethodKind.Duplex;

    public async Task HandleAsync(HttpContext http)
    {
        if (!CallGate.Accept(http, _streamsRequests, liftsBodyLimit: true)) return;
        ServerCallContext? context = null;
        if (!method.IsEndless) drain.EnterStream(); // before the look at the drain: a stop sees the stream, or the stream sees the stop
        try
        {
            drain.ThrowIfBegun(method.ReportsSqlErrors);
            context = new ServerCallContext(http, options, drain, method.IsEndless ? drain.Begun : drain.Over);
            if (_guard is not null) await _guard(context);
            var requests = new RequestStream<TRequest>(context, _parser);
            await handler(requests, new ResponseWriter<TResponse>(context), context);
            StatusWriter.WriteOk(context);
        }
#pragma warning disable CA1031 // Whatever it is, it becomes a status.
        catch (Exception e)
        {
            CallFailure.Answer(http, context, e, logger);
        }
#pragma warning restore CA1031
        finally
        {
            context?.Finish();
            if (!method.IsEndless) drain.LeaveStream();
        }
    }
}
