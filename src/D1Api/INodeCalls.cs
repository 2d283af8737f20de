using Microsoft.AspNetCore.Http;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>The public contract's calls, carried out by the node that serves this API, for the caller of an HTTP request.</summary>
/// <remarks>They fail with <see cref="RequestException"/>, or with an <see cref="Grpc.RpcException"/> from another node. Safe for use by any thread.</remarks>
public interface INodeCalls
{
    /// <summary>The regions of the cluster's nodes.</summary>
    IReadOnlyCollection<string> Regions { get; }

    /// <summary>The id of a database by name or id; <see langword="null"/> if there is none.</summary>
    string? IdOf(string nameOrId);

    /// <summary>Runs statements in one transaction.</summary>
    ValueTask<ExecuteResponse> ExecuteAsync(ExecuteRequest request, HttpContext http);

    /// <summary>Creates a database.</summary>
    ValueTask<Database> CreateAsync(CreateDatabaseRequest request, HttpContext http);

    /// <summary>A database by name or id, with what its primary says.</summary>
    ValueTask<Database> GetAsync(GetDatabaseRequest request, HttpContext http);

    /// <summary>One page of the databases that the caller may see, by name.</summary>
    ValueTask<ListDatabasesResponse> ListAsync(ListDatabasesRequest request, HttpContext http);

    /// <summary>Changes a database.</summary>
    ValueTask<Database> UpdateAsync(UpdateDatabaseRequest request, HttpContext http);

    /// <summary>Deletes a database.</summary>
    ValueTask DeleteAsync(DeleteDatabaseRequest request, HttpContext http);
}
