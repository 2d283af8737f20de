using System.Collections.Concurrent;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Carries out unary calls for requests that came by another protocol: the same handlers, guard and refusals as for those that came by gRPC.</summary>
/// <param name="options">The server's.</param>
/// <param name="drain">The server's: when it has begun to stop, nothing new is taken.</param>
public sealed class LocalCalls(GrpcServerOptions options, CallDrain drain)
{
    private readonly ConcurrentDictionary<string, Func<ServerCallContext, ValueTask>?> _guards = new(); // by rpc: a few

    /// <summary>Calls a handler as if the request had come by gRPC on the same connection, with the headers of the HTTP request as its metadata.</summary>
    /// <param name="method">Which rpc.</param>
    /// <param name="handler">What carries it out.</param>
    /// <param name="request">The message.</param>
    /// <param name="http">The request that it stands for.</param>
    public async ValueTask<TResponse> CallAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, Func<TRequest, ServerCallContext, ValueTask<TResponse>> handler, TRequest request, HttpContext http)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() => await PrepareAsync(method, handler, request, http);

    /// <summary>The same for the beginning of an rpc that streams: what is checked before anything is sent, by the rpc's own guard.</summary>
    /// <param name="method">Which rpc.</param>
    /// <param name="handler">Checks, and gives back what goes on without the call.</param>
    /// <param name="request">What it is told.</param>
    /// <param name="http">The request that it stands for.</param>
    public async ValueTask<TResult> PrepareAsync<TMessage, TRequest, TResponse, TResult>(
        GrpcMethod<TRequest, TResponse> method, Func<TMessage, ServerCallContext, ValueTask<TResult>> handler, TMessage request, HttpContext http)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(handler);
        drain.ThrowIfBegun(method.ReportsSqlErrors);
        var context = new ServerCallContext(http, options, drain);
        try
        {
            if (_guards.GetOrAdd(method.FullName, static (_, call) => call.Options.Guard?.CheckOf(call.Service, call.Name), (Options: options, method.Service, method.Name)) is { } guard)
            {
                await guard(context);
            }

            return await handler(request, context);
        }
        catch (Exception e) when (context.EndReason is { } reason && e is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
        {
            throw reason; // whoever ended it says why, as to gRPC's clients
        }
        finally
        {
            context.Finish();
        }
    }
}
