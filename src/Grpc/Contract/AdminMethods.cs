using Google.Protobuf;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Grpc;

/// <summary>The rpcs of <c>replicatedsqlite.v1.Admin</c>.</summary>
public static class AdminMethods
{
    /// <summary>The service's full name.</summary>
    public const string Service = "replicatedsqlite.v1.Admin";

    /// <summary>Creates a database.</summary>
    public static readonly GrpcMethod<CreateDatabaseRequest, Database> CreateDatabase =
        Method<CreateDatabaseRequest, Database>("CreateDatabase", MethodKind.Unary);

    /// <summary>One database by name or id.</summary>
    public static readonly GrpcMethod<GetDatabaseRequest, Database> GetDatabase =
        Method<GetDatabaseRequest, Database>("GetDatabase", MethodKind.Unary);

    /// <summary>The databases, by pages.</summary>
    public static readonly GrpcMethod<ListDatabasesRequest, ListDatabasesResponse> ListDatabases =
        Method<ListDatabasesRequest, ListDatabasesResponse>("ListDatabases", MethodKind.Unary);

    /// <summary>Renames, or changes where and how it is kept.</summary>
    public static readonly GrpcMethod<UpdateDatabaseRequest, Database> UpdateDatabase =
        Method<UpdateDatabaseRequest, Database>("UpdateDatabase", MethodKind.Unary);

    /// <summary>Deletes, with a period of grace.</summary>
    public static readonly GrpcMethod<DeleteDatabaseRequest, DeleteDatabaseResponse> DeleteDatabase =
        Method<DeleteDatabaseRequest, DeleteDatabaseResponse>("DeleteDatabase", MethodKind.Unary);

    /// <summary>Moves the primary to another region.</summary>
    public static readonly GrpcMethod<MovePrimaryRequest, Database> MovePrimary =
        Method<MovePrimaryRequest, Database>("MovePrimary", MethodKind.Unary);

    /// <summary>The bookmark that was current at a time.</summary>
    public static readonly GrpcMethod<GetBookmarkRequest, GetBookmarkResponse> GetBookmark =
        Method<GetBookmarkRequest, GetBookmarkResponse>("GetBookmark", MethodKind.Unary);

    /// <summary>The requests under way.</summary>
    public static readonly GrpcMethod<ListQueriesRequest, ListQueriesResponse> ListQueries =
        Method<ListQueriesRequest, ListQueriesResponse>("ListQueries", MethodKind.Unary);

    /// <summary>Ends a request.</summary>
    public static readonly GrpcMethod<KillQueryRequest, KillQueryResponse> KillQuery =
        Method<KillQueryRequest, KillQueryResponse>("KillQuery", MethodKind.Unary);

    /// <summary>Brings a database back to a bookmark.</summary>
    public static readonly GrpcMethod<RestoreRequest, RestoreResponse> Restore =
        Method<RestoreRequest, RestoreResponse>("Restore", MethodKind.Unary);

    /// <summary>A new database from an old state of another.</summary>
    public static readonly GrpcMethod<ForkRequest, Database> Fork =
        Method<ForkRequest, Database>("Fork", MethodKind.Unary);

    /// <summary>Takes a deletion back.</summary>
    public static readonly GrpcMethod<UndeleteDatabaseRequest, Database> UndeleteDatabase =
        Method<UndeleteDatabaseRequest, Database>("UndeleteDatabase", MethodKind.Unary);

    /// <summary>Brings a database back from cold storage alone.</summary>
    public static readonly GrpcMethod<RecoverDatabaseRequest, RecoverDatabaseResponse> RecoverDatabase =
        Method<RecoverDatabaseRequest, RecoverDatabaseResponse>("RecoverDatabase", MethodKind.Unary);

    /// <summary>The databases in cold storage.</summary>
    public static readonly GrpcMethod<ListStoredDatabasesRequest, ListStoredDatabasesResponse> ListStoredDatabases =
        Method<ListStoredDatabasesRequest, ListStoredDatabasesResponse>("ListStoredDatabases", MethodKind.Unary);

    /// <summary>Proves that a database can be restored.</summary>
    public static readonly GrpcMethod<VerifyDatabaseRequest, VerifyDatabaseResponse> VerifyDatabase =
        Method<VerifyDatabaseRequest, VerifyDatabaseResponse>("VerifyDatabase", MethodKind.Unary);

    /// <summary>A consistent image or dump.</summary>
    public static readonly GrpcMethod<ExportRequest, Chunk> Export =
        Method<ExportRequest, Chunk>("Export", MethodKind.ServerStreaming);

    /// <summary>Creates or replaces a database.</summary>
    public static readonly GrpcMethod<ImportRequest, Database> Import =
        Method<ImportRequest, Database>("Import", MethodKind.ClientStreaming);

    /// <summary>A new access token.</summary>
    public static readonly GrpcMethod<CreateTokenRequest, CreateTokenResponse> CreateToken =
        Method<CreateTokenRequest, CreateTokenResponse>("CreateToken", MethodKind.Unary);

    /// <summary>The access tokens, without their secrets.</summary>
    public static readonly GrpcMethod<ListTokensRequest, ListTokensResponse> ListTokens =
        Method<ListTokensRequest, ListTokensResponse>("ListTokens", MethodKind.Unary);

    /// <summary>Ends a token.</summary>
    public static readonly GrpcMethod<RevokeTokenRequest, RevokeTokenResponse> RevokeToken =
        Method<RevokeTokenRequest, RevokeTokenResponse>("RevokeToken", MethodKind.Unary);

    /// <summary>Nodes, and the copies of a database.</summary>
    public static readonly GrpcMethod<GetTopologyRequest, Topology> GetTopology =
        Method<GetTopologyRequest, Topology>("GetTopology", MethodKind.Unary);

    /// <summary>The node that answers.</summary>
    public static readonly GrpcMethod<GetServerInfoRequest, ServerInfo> GetServerInfo =
        Method<GetServerInfoRequest, ServerInfo>("GetServerInfo", MethodKind.Unary);

    private static GrpcMethod<TRequest, TResponse> Method<TRequest, TResponse>(string name, MethodKind kind)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() => new(Service, name, kind) { ReportsSqlErrors = true };
}
