using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The rpc that sends back what it gets.</summary>
internal static class EchoMethod
{
    public static readonly GrpcMethod<BytesValue, BytesValue> Echo = new("bench.v1.Echo", "Echo", MethodKind.Unary);

    /// <summary>The path of the bare echo, which knows nothing of gRPC.</summary>
    public const string BarePath = "/bare";
}
