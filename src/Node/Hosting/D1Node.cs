using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.D1Api;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Router;

namespace ReplicatedSqlite.Node;

/// <summary>Lets the HTTP API use this node's own services.</summary>
internal sealed class D1Node(LocalCalls calls, QueryService queries, AdminService admin, IControlPlane control) : INodeCalls
{
    public IReadOnlyCollection<string> Regions => [.. control.Nodes.Select(node => node.Region).Distinct()];

    public string? IdOf(string nameOrId) => control.Find(nameOrId)?.Id.ToString();

    public ValueTask<ExecuteResponse> ExecuteAsync(ExecuteRequest request, HttpContext http) => calls.CallAsync(QueryMethods.Execute, queries.ExecuteAsync, request, http);

    public ValueTask<Database> CreateAsync(CreateDatabaseRequest request, HttpContext http) => calls.CallAsync(AdminMethods.CreateDatabase, admin.CreateDatabaseAsync, request, http);

    public ValueTask<Database> GetAsync(GetDatabaseRequest request, HttpContext http) => calls.CallAsync(AdminMethods.GetDatabase, admin.GetDatabaseAsync, request, http);

    public ValueTask<ListDatabasesResponse> ListAsync(ListDatabasesRequest request, HttpContext http) => calls.CallAsync(AdminMethods.ListDatabases, admin.ListDatabasesAsync, request, http);

    public ValueTask<Database> UpdateAsync(UpdateDatabaseRequest request, HttpContext http) => calls.CallAsync(AdminMethods.UpdateDatabase, admin.UpdateDatabaseAsync, request, http);

    public async ValueTask DeleteAsync(DeleteDatabaseRequest request, HttpContext http) => await calls.CallAsync(AdminMethods.DeleteDatabase, admin.DeleteDatabaseAsync, request, http);
}
