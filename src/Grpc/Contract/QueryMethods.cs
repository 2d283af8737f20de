using Google.Protobuf;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Grpc;

/// <summary>The rpcs of <c>replicatedsqlite.v1.Query</c>.</summary>
public static class QueryMethods
{
    /// <summary>The service's full name.</summary>
    public const string Service = "replicatedsqlite.v1.Query";

    /// <summary>Statements as one atomic transaction.</summary>
    public static readonly GrpcMethod<ExecuteRequest, ExecuteResponse> Execute = Method<ExecuteRequest, ExecuteResponse>("Execute", MethodKind.Unary);

    /// <summary>The same, with rows sent while they are read.</summary>
    public static readonly GrpcMethod<StreamRequest, StreamResponse> Stream = Method<StreamRequest, StreamResponse>("Stream", MethodKind.ServerStreaming);

    /// <summary><see cref="Stream"/> for a server, which need not understand the rows that it sends or passes on.</summary>
    public static readonly GrpcMethod<StreamRequest, EncodedResponse> EncodedStream = Method<StreamRequest, EncodedResponse>("Stream", MethodKind.ServerStreaming);

    /// <summary>An interactive transaction.</summary>
    public static readonly GrpcMethod<TransactRequest, TransactResponse> Transact = Method<TransactRequest, TransactResponse>("Transact", MethodKind.Duplex);

    /// <summary>What a statement needs and returns.</summary>
    public static readonly GrpcMethod<DescribeRequest, DescribeResponse> Describe = Method<DescribeRequest, DescribeResponse>("Describe", MethodKind.Unary);

    /// <summary>What became of a write.</summary>
    public static readonly GrpcMethod<GetOutcomeRequest, GetOutcomeResponse> GetOutcome = Method<GetOutcomeRequest, GetOutcomeResponse>("GetOutcome", MethodKind.Unary);

    private static GrpcMethod<TRequest, TResponse> Method<TRequest, TResponse>(string name, MethodKind kind)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() => new(Service, name, kind) { ReportsSqlErrors = true };
}
