using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.D1Api;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Router;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Node;

/// <summary>Lets the HTTP API use this node's own services.</summary>
internal sealed class D1Node(LocalCalls calls, QueryService queries, AdminService admin, IControlPlane control, AccessGuard guard, string transferFolder, CancellationToken stopping) : INodeCalls
{
    public IReadOnlyCollection<string> Regions => [.. control.Nodes.Select(node => node.Region).Distinct()];

    public string TransferFolder => transferFolder;

    public CancellationToken Stopping => stopping;

    public string? IdOf(string nameOrId) => control.Find(nameOrId)?.Id.ToString();

    public string WithoutValues(string sql) => SqlNormalizer.Normalize(sql);

    public ValueTask CheckAsync(HttpContext http) => guard.CheckHttpAsync(http, ofCluster: false, http.RequestAborted);

    public ValueTask<ExecuteResponse> ExecuteAsync(ExecuteRequest request, HttpContext http) => calls.CallAsync(QueryMethods.Execute, queries.ExecuteAsync, request, http);

    public ValueTask<Database> CreateAsync(CreateDatabaseRequest request, HttpContext http) => calls.CallAsync(AdminMethods.CreateDatabase, admin.CreateDatabaseAsync, request, http);

    public ValueTask<Database> GetAsync(GetDatabaseRequest request, HttpContext http) => calls.CallAsync(AdminMethods.GetDatabase, admin.GetDatabaseAsync, request, http);

    public ValueTask<ListDatabasesResponse> ListAsync(ListDatabasesRequest request, HttpContext http) => calls.CallAsync(AdminMethods.ListDatabases, admin.ListDatabasesAsync, request, http);

    public ValueTask<Database> UpdateAsync(UpdateDatabaseRequest request, HttpContext http) => calls.CallAsync(AdminMethods.UpdateDatabase, admin.UpdateDatabaseAsync, request, http);

    public ValueTask<GetBookmarkResponse> GetBookmarkAsync(GetBookmarkRequest request, HttpContext http) => calls.CallAsync(AdminMethods.GetBookmark, admin.FindBookmarkAsync, request, http);

    public ValueTask<RestoreResponse> RestoreAsync(RestoreRequest request, HttpContext http) => calls.CallAsync(AdminMethods.Restore, admin.RestoreDatabaseAsync, request, http);

    public async ValueTask<Func<CancellationToken, IAsyncEnumerable<Chunk>>> PrepareExportAsync(ExportRequest request, HttpContext http) =>
        (await calls.PrepareAsync(AdminMethods.Export, admin.PrepareExportAsync, request, http)).ReadAsync;

    public async ValueTask<Func<string, CancellationToken, Task<Database>>> PrepareImportAsync(ImportHeader header, HttpContext http) =>
        (await calls.PrepareAsync(AdminMethods.Import, admin.PrepareImportAsync, header, http)).RunAsync;

    public async ValueTask DeleteAsync(DeleteDatabaseRequest request, HttpContext http) => await calls.CallAsync(AdminMethods.DeleteDatabase, admin.DeleteDatabaseAsync, request, http);
}
