using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Http;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary><c>POST …/query</c> and <c>POST …/raw</c>: one request is one transaction.</summary>
internal sealed class QueryEndpoints(INodeCalls node, D1ApiOptions options, UsageLog usage, RequestBodies bodies)
{
    private readonly Duration _timeout = Duration.FromTimeSpan(options.QueryTimeout);

    public Task QueryAsync(HttpContext http) => RunAsync(http, raw: false);

    public Task RawAsync(HttpContext http) => RunAsync(http, raw: true);

    private async Task RunAsync(HttpContext http, bool raw)
    {
        var request = await bodies.ReadAsync(http, QueryBody.Read);
        request.Database = Paths.Database(http);
        request.Timeout = _timeout;
        request.IdempotencyKey = http.Request.Headers["idempotency-key"].ToString();
        var session = BookmarkHeader.Read(http);
        if (session.Length > 0)
        {
            request.Read = new ReadOptions { Session = session };
        }

        var sql = request.Statements[0].Sql;
        var name = request.Database;
        var asksForSchema = SchemaRows.AreAskedBy(request); // before the call, which the request belongs to from there on
        var response = await node.ExecuteAsync(request, http);
        usage.Add(node.IdOf(name) ?? name, node.WithoutValues(sql), response);
        BookmarkHeader.Write(http, response.Bookmark);
        var results = new ResultWriter(response, raw, IntegersAsText(http), asksForSchema);
        Answer.Write(http, results.Write);
    }

    private static bool IntegersAsText(HttpContext http) => http.Request.Query["int64"].ToString() switch
    {
        "" or "number" => false,
        "string" => true,
        var other => throw ApiException.Invalid($"Invalid property: int64 => '{other}': number or string was wanted."),
    };
}
