using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>The HTTP API of a node: wire-compatible with Cloudflare D1's REST API under <c>/client/v4</c>, with sessions.</summary>
public static class D1Endpoints
{
    /// <summary>What the paths of the API begin with. Each request under it is checked by the call that it makes of the node.</summary>
    public const string Prefix = "/client/v4";

    /// <summary>Adds the API to a node's HTTP endpoints.</summary>
    /// <param name="routes">The node's.</param>
    /// <param name="node">Carries the calls out.</param>
    /// <param name="options">Settings.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Told of what could not be answered.</param>
    public static void MapD1Api(this IEndpointRouteBuilder routes, INodeCalls node, D1ApiOptions options, TimeProvider time, ILogger logger)
    {
        var usage = new UsageLog(time);
        var pipeline = new ApiPipeline(node, options, logger);
        var bodies = new RequestBodies(options, time);
        var databases = new DatabaseEndpoints(node, options, bodies);
        var queries = new QueryEndpoints(node, options, usage, bodies);
        var graphQl = new GraphQlEndpoint(node, usage, bodies);
        var (files, jobs, urls) = (new StoredFiles(node.TransferFolder, time, node.Stopping), new TransferJobs(), new SignedUrls(time));
        var imports = new ImportEndpoints(node, bodies, options, files, jobs, urls, time);
        var exports = new ExportEndpoints(node, bodies, files, jobs, urls, time);
        var timeTravel = new TimeTravelEndpoints(node);
        Map("GET", Paths.Databases, databases.ListAsync);
        Map("POST", Paths.Databases, databases.CreateAsync);
        Map("GET", Paths.OneDatabase, databases.GetAsync);
        Map("PUT", Paths.OneDatabase, databases.UpdateAsync);
        Map("PATCH", Paths.OneDatabase, databases.EditAsync);
        Map("DELETE", Paths.OneDatabase, databases.DeleteAsync);
        Map("POST", Paths.OneDatabase + "/query", queries.QueryAsync);
        Map("POST", Paths.OneDatabase + "/raw", queries.RawAsync);
        Map("POST", Paths.OneDatabase + "/import", imports.ImportAsync);
        Map("POST", Paths.OneDatabase + "/export", exports.ExportAsync);
        Map("GET", Paths.OneDatabase + "/time_travel/bookmark", timeTravel.GetBookmarkAsync);
        Map("POST", Paths.OneDatabase + "/time_travel/restore", timeTravel.RestoreAsync);
        routes.MapMethods(Paths.Files + "/{file}", ["PUT"], pipeline.Guard(imports.UploadAsync, isSigned: true));
        routes.MapMethods(Paths.Files + "/{file}", ["GET"], pipeline.Guard(exports.DownloadAsync, isSigned: true));
        Map("GET", Paths.OneDatabase + "/insights", http => InsightsAsync(node, http));
        Map("POST", Paths.GraphQl, graphQl.AnswerAsync);
        Map("OPTIONS", Prefix + "/{**rest}", BrowserRules.AnswerPreflightAsync);
        ApiPages.Map(routes);
        routes.Map(Prefix + "/{**rest}", pipeline.Guard(http => throw ApiException.NoRoute(http.Request.Path)));

        void Map(string method, string path, RequestDelegate handler) => routes.MapMethods(path, [method], pipeline.Guard(handler));
    }

    // Advice about indexes, which nobody gives here.
    private static async Task InsightsAsync(INodeCalls node, HttpContext http)
    {
        await node.GetAsync(new GetDatabaseRequest { Database = Paths.Database(http) }, http);
        Answer.Write(http, json =>
        {
            json.WriteStartArray();
            json.WriteEndArray();
        });
    }
}
