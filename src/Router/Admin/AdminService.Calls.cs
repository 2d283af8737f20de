using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Router;

/// <content>For those who have no gRPC call of their own to map.</content>
public sealed partial class AdminService
{
    /// <summary>Creates a database.</summary>
    public async ValueTask<Database> CreateDatabaseAsync(CreateDatabaseRequest request, ServerCallContext call) => await _creator.CreateAsync(request, call);

    /// <summary>Describes a database, with what its primary says.</summary>
    public ValueTask<Database> GetDatabaseAsync(GetDatabaseRequest request, ServerCallContext call) => DescribeAsync(request, call);

    /// <summary>Lists databases.</summary>
    public ValueTask<ListDatabasesResponse> ListDatabasesAsync(ListDatabasesRequest request, ServerCallContext call) => ValueTask.FromResult(List(request, call.Caller()));

    /// <summary>Changes a database.</summary>
    public ValueTask<Database> UpdateDatabaseAsync(UpdateDatabaseRequest request, ServerCallContext call) => UpdateAsync(request, call);

    /// <summary>Deletes a database.</summary>
    public ValueTask<DeleteDatabaseResponse> DeleteDatabaseAsync(DeleteDatabaseRequest request, ServerCallContext call) => DeleteAsync(request, call);
}
