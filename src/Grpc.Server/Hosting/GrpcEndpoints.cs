using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Adds gRPC services to an application's endpoints.</summary>
public static class GrpcEndpoints
{
    /// <summary>Starts mapping rpcs. Calls of anything that is not mapped are answered with UNIMPLEMENTED; paths that other endpoints name stay theirs. Once an application.</summary>
    public static GrpcServices MapGrpc(this IEndpointRouteBuilder endpoints, GrpcServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        endpoints.MapFallback("{*path}", (RequestDelegate)UnknownMethod.HandleAsync);
        return new GrpcServices(endpoints, options ?? new GrpcServerOptions());
    }
}
