using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Runs the calls of one unary rpc.</summary>
internal sealed class UnaryEndpoint<TRequest, TResponse>(
    GrpcMethod<TRequest, TResponse> method,
    Func<TRequest, ServerCallContext, ValueTask<TResponse>> handler,
    GrpcServerOptions options,
    ILogger logger)
    where TRequest : class, IMessage<TRequest>, new()
    where TResponse : class, IMessage<TResponse>, new()
{
    private readonly RequestParser<TRequest> _parser = new(method.RequestParser, options.MaxRequestBytes, method.ReportsSqlErrors);

    public async Task HandleAsync(HttpContext http)
    {
        if (!CallGate.Accept(http, streamsRequests: false)) return;
        ServerCallContext? context = null;
        try
        {
            context = new ServerCallContext(http, options);
            var request = await new RequestStream<TRequest>(context, _parser).ReadSingleAsync();
            var response = await handler(request, context);
            new ResponseWriter<TResponse>(context).WriteLast(response);
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
        }
    }
}
