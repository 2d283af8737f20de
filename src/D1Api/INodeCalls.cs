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

    /// <summary>A folder for files of imports and exports, emptied when the node starts.</summary>
    string TransferFolder { get; }

    /// <summary>The node is going away.</summary>
    CancellationToken Stopping { get; }

    /// <summary>SQL without its values, cut at some 2 KiB.</summary>
    string WithoutValues(string sql);

    /// <summary>Lets a request in whose client may do anything at all here, so that nobody else's body is read.</summary>
    ValueTask CheckAsync(HttpContext http);

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

    /// <summary>The bookmark of a moment, or the current one.</summary>
    ValueTask<GetBookmarkResponse> GetBookmarkAsync(GetBookmarkRequest request, HttpContext http);

    /// <summary>Goes back to a bookmark.</summary>
    ValueTask<RestoreResponse> RestoreAsync(RestoreRequest request, HttpContext http);

    /// <summary>Checks an export for the caller; what comes back carries it out, also after the request has been answered.</summary>
    ValueTask<Func<CancellationToken, IAsyncEnumerable<Chunk>>> PrepareExportAsync(ExportRequest request, HttpContext http);

    /// <summary>Checks an import into a database that exists; what comes back carries it out with a file, also after the request has been answered.</summary>
    ValueTask<Func<string, CancellationToken, Task<Database>>> PrepareImportAsync(ImportHeader header, HttpContext http);

    /// <summary>Deletes a database.</summary>
    ValueTask DeleteAsync(DeleteDatabaseRequest request, HttpContext http);
}
