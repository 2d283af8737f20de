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

    /// <summary>The bookmark of a moment, or the current one.</summary>
    public ValueTask<GetBookmarkResponse> FindBookmarkAsync(GetBookmarkRequest request, ServerCallContext call) => GetBookmarkAsync(request, call);

    /// <summary>Goes back to a bookmark.</summary>
    public ValueTask<RestoreResponse> RestoreDatabaseAsync(RestoreRequest request, ServerCallContext call) => RestoreAsync(request, call);

    /// <summary>Checks an export; it runs when its result is read, also after the call.</summary>
    public ValueTask<PreparedExport> PrepareExportAsync(ExportRequest request, ServerCallContext call) => _transfers.PrepareExportAsync(request, call);

    /// <summary>Checks an import into a database that exists; it runs when it is given the file, also after the call.</summary>
    public ValueTask<PreparedImport> PrepareImportAsync(ImportHeader header, ServerCallContext call) => _transfers.PrepareImportAsync(header, call);

    /// <summary>Deletes a database.</summary>
    public ValueTask<DeleteDatabaseResponse> DeleteDatabaseAsync(DeleteDatabaseRequest request, ServerCallContext call) => DeleteAsync(request, call);
}
