using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Runs the calls of one unary rpc.</summary>
internal sealed class UnaryEndpoint<TRequest, TResponse>(
    GrpcMethod<TRequest, TResponse> method,
    Func<TRequest, ServerCallContext, ValueTask<TResponse>> handler,
    GrpcServerOptions options,
    CallDrain drain,
    ILogger logger)
    where TRequest : class, IMessage<TRequest>, new()
    where TResponse : class, IMessage<TResponse>, new()
{
    // Kestrel's own limit for a body, which is lifted only where a message may pass it.
    private const int KestrelBodyLimit = 28_000_000;

    private readonly Func<ServerCallContext, ValueTask>? _guard = options.Guard?.CheckOf(method.Service, method.Name);
    private readonly RequestParser<TRequest> _parser = new(method.RequestParser, options.MaxRequestBytes, method.ReportsSqlErrors);
    private readonly bool _liftsBodyLimit = options.MaxRequestBytes > KestrelBodyLimit;

    public async Task HandleAsync(HttpContext http)
    {
        if (!CallGate.Accept(http, streamsRequests: false, _liftsBodyLimit)) return;
        ServerCallContext? context = null;
        try
        {
            if (!method.IsServedWhileStopping) drain.ThrowIfBegun(method.ReportsSqlErrors);
            context = new ServerCallContext(http, options, drain);
            if (_guard is not null) await _guard(context);
            var encoding = RequestEncoding.Of(http.Request);
            var body = http.Request.BodyReader;
            TRequest? request;
            do
            {
                try
                {
                    var read = await body.ReadAsync(context.HasOwnToken ? context.CancellationToken : default);
                    _parser.TryParseSingle(body, read, encoding, out request); // a reset of the stream can also show when the bytes are handed back
                }
                catch (IOException e) when (e is not BadHttpRequestException)
                {
                    throw new OperationCanceledException("The client has gone.", e, http.RequestAborted);
                }
            }
            while (request is null);

            var response = await handler(request, context);
            ResponseWriter<TResponse>.WriteOnly(response, context, http.Response.BodyWriter);
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
