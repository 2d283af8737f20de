using Google.Protobuf;
using ReplicatedSqlite.Grpc.Tests.Interop;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>The rpcs of the interoperability service.</summary>
internal static class TestMethods
{
    public const string Service = "grpc.testing.TestService";

    public static readonly GrpcMethod<Empty, Empty> EmptyCall = new(Service, "EmptyCall", MethodKind.Unary);
    public static readonly GrpcMethod<SimpleRequest, SimpleResponse> UnaryCall = new(Service, "UnaryCall", MethodKind.Unary);

    public static readonly GrpcMethod<StreamingOutputCallRequest, StreamingOutputCallResponse> StreamingOutput =
        new(Service, "StreamingOutputCall", MethodKind.ServerStreaming);

    public static readonly GrpcMethod<StreamingInputCallRequest, StreamingInputCallResponse> StreamingInput =
        new(Service, "StreamingInputCall", MethodKind.ClientStreaming);

    public static readonly GrpcMethod<StreamingOutputCallRequest, StreamingOutputCallResponse> FullDuplex =
        new(Service, "FullDuplexCall", MethodKind.Duplex);

    public static readonly GrpcMethod<Empty, Empty> Unimplemented = new(Service, "UnimplementedCall", MethodKind.Unary);
    public static readonly GrpcMethod<Empty, Empty> UnimplementedService = new("grpc.testing.UnimplementedService", "UnimplementedCall", MethodKind.Unary);

    public static Payload PayloadOf(int bytes) => new() { Body = ByteString.CopyFrom(new byte[bytes]) };
}
