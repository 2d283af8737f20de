using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;

namespace ReplicatedSqlite.Router;

/// <summary>Whom the guard took a call's client for.</summary>
internal static class CallerOfCall
{
    /// <exception cref="InvalidOperationException">The service was mapped without a guard.</exception>
    public static Caller Caller(this ServerCallContext call) =>
        call.Identity as Caller ?? throw new InvalidOperationException("The public services need an AccessGuard before them (GrpcServerOptions.Guard).");
}
