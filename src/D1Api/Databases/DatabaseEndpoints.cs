using System.Globalization;
using Microsoft.AspNetCore.Http;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>List, create, get, change and delete databases.</summary>
internal sealed class DatabaseEndpoints(INodeCalls node, D1ApiOptions options, RequestBodies bodies)
{
    private const int DefaultPerPage = 1000;
    private const int MaxPerPage = 10_000;
    private const int CataloguePage = 1000;
    private const string CountTables =
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_rs\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'";

    public async Task ListAsync(HttpContext http)
    {
        var (page, perPage, search) = (Number(http, "page", 1, int.MaxValue), Number(http, "per_page", DefaultPerPage, MaxPerPage), http.Request.Query["name"].ToString());
        var (skip, total, found) = ((page - 1L) * perPage, 0L, new List<Database>());
        var request = new ListDatabasesRequest { PageSize = CataloguePage };
        do
        {
            var some = await node.ListAsync(request, http);
            foreach (var database in some.Databases.Where(database => database.Name.Contains(search, StringComparison.OrdinalIgnoreCase)))
            {
                if (total++ >= skip && found.Count < perPage)
                {
                    found.Add(database);
                }
            }

            request.PageToken = some.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Answer.Write(
            http,
            json =>
            {
                json.WriteStartArray();
                found.ForEach(database => DatabaseWriter.WriteBrief(json, database));
                json.WriteEndArray();
            },
            json =>
            {
                json.WriteStartObject();
                json.WriteNumber("page"u8, page);
                json.WriteNumber("per_page"u8, perPage);
                json.WriteNumber("count"u8, found.Count);
                json.WriteNumber("total_count"u8, total);
                json.WriteEndObject();
            });
    }

    public async Task CreateAsync(HttpContext http)
    {
        var body = await bodies.ReadAsync(http, DatabaseBody.Read);
        var request = new CreateDatabaseRequest
        {
            Name = body.Name,
            Replication = body.Replication,
            PrimaryRegion = body.LocationHint is { } hint && node.Regions.Contains(hint) ? hint : "",
            Options = new DatabaseOptions { Profile = options.Profile },
        };
        var created = await node.CreateAsync(request, http);
        Answer.Write(http, json => DatabaseWriter.Write(json, created, tables: 0, []));
    }

    public async Task GetAsync(HttpContext http)
    {
        var fields = Fields(http);
        var database = await node.GetAsync(new GetDatabaseRequest { Database = Paths.Database(http) }, http);
        var tables = fields.Length == 0 || fields.Contains("num_tables") ? await CountTablesAsync(database, http) : (long?)null;
        Answer.Write(http, json => DatabaseWriter.Write(json, database, tables, fields));
    }

    /// <summary>PUT, which has to say what is wanted.</summary>
    public Task UpdateAsync(HttpContext http) => ChangeAsync(http, isWhole: true);

    /// <summary>PATCH, which need not.</summary>
    public Task EditAsync(HttpContext http) => ChangeAsync(http, isWhole: false);

    public async Task DeleteAsync(HttpContext http)
    {
        await node.DeleteAsync(new DeleteDatabaseRequest { Database = Paths.Database(http) }, http);
        Answer.Write(http, json => json.WriteNullValue());
    }

    private async Task ChangeAsync(HttpContext http, bool isWhole)
    {
        var body = await bodies.ReadAsync(http, DatabaseBody.Read);
        if (isWhole && body.Replication == ReplicationMode.Unspecified)
        {
            throw ApiException.Invalid("Invalid property: read_replication => Required");
        }

        var database = await node.UpdateAsync(new UpdateDatabaseRequest { Database = Paths.Database(http), Replication = body.Replication }, http);
        var tables = await CountTablesAsync(database, http);
        Answer.Write(http, json => DatabaseWriter.Write(json, database, tables, []));
    }

    private async ValueTask<long> CountTablesAsync(Database database, HttpContext http)
    {
        var request = new ExecuteRequest { Database = database.Id, Statements = { new Statement { Sql = CountTables } } };
        return (await node.ExecuteAsync(request, http)).Results[0].Rows.Columns[0].Integers[0];
    }

    // fields=a,b and fields=a&fields=b: wrangler joins them, the SDK repeats them.
    private static string[] Fields(HttpContext http) =>
        [.. http.Request.Query["fields"].SelectMany(value => (value ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];

    private static int Number(HttpContext http, string name, int unset, int greatest)
    {
        var text = http.Request.Query[name].ToString();
        return text.Length == 0 ? unset
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 && number <= greatest ? number
            : throw ApiException.Invalid($"Invalid property: {name} => '{text}': a number from 1 to {greatest} was wanted.");
    }
}
