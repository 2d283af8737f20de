using System.Text;
using Google.Protobuf;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api.Tests;

/// <summary>Export and Import of the contract, at any node of a cluster.</summary>
public sealed class TransferTests
{
    private const string Some = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t (v) VALUES ('a;b'), ('c'); CREATE VIRTUAL TABLE words USING fts5(v); INSERT INTO words VALUES ('quick foxes');";

    private static readonly string[] _refusals = [ErrorCodes.InvalidRequest, ErrorCodes.SqliteError];

    [Theory]
    [InlineData(ExportFormat.Sqlite)]
    [InlineData(ExportFormat.Sql)]
    public async Task What_is_exported_at_one_node_is_imported_at_another(ExportFormat format)
    {
        await using var cluster = await D1Cluster.StartAsync();
        var admins = new[] { cluster.Channel(0), cluster.Channel(1), cluster.Channel(2) };
        await admins[0].CallAsync(AdminMethods.CreateDatabase, new CreateDatabaseRequest { Name = "shop", PrimaryRegion = "enam" });
        await RunAsync(admins[0], "shop", Some);
        var exported = await ExportAsync(admins[1], new ExportRequest { Database = "shop", Format = format }); // at a node that does not lead it
        Assert.DoesNotContain("_rs_requests", Encoding.Latin1.GetString(exported.Bytes), StringComparison.Ordinal);

        var created = await ImportAsync(admins[2], new ImportHeader { Database = "copy", Format = format, Create = new CreateDatabaseRequest { PrimaryRegion = "weur" } }, exported.Bytes);
        Assert.Equal(("copy", "weur"), (created.Name, created.PrimaryRegion));
        Assert.Equal([2L, 1L], await QueryAsync(admins[0], "copy", "SELECT count(*) FROM t UNION ALL SELECT count(*) FROM words WHERE words MATCH 'fox OR foxes'", created.Bookmark));
        var listed = await admins[0].CallAsync(AdminMethods.ListDatabases, new ListDatabasesRequest());
        Assert.Equal(["copy", "shop"], listed.Databases.Select(database => database.Name)); // and nothing that it was called meanwhile

        // In the place of what is there, from anywhere; replicas follow, and older bookmarks stay good.
        await RunAsync(admins[0], "copy", "DELETE FROM t; CREATE TABLE other (x)");
        var before = (await admins[0].CallAsync(AdminMethods.GetDatabase, new GetDatabaseRequest { Database = "copy" })).Bookmark;
        Assert.Equal(ErrorCodes.DatabaseExists, await RefusedAsync(() => ImportAsync(admins[0], new ImportHeader { Database = "copy", Format = format }, exported.Bytes)));
        var replaced = await ImportAsync(admins[0], new ImportHeader { Database = "copy", Format = format, Replace = true }, exported.Bytes);
        Assert.Equal(created.Id, replaced.Id);
        Assert.Equal([2L], await QueryAsync(admins[2], "copy", "SELECT count(*) FROM t", replaced.Bookmark));
        Assert.Equal([0L], await QueryAsync(admins[2], "copy", "SELECT count(*) FROM sqlite_schema WHERE name = 'other'", replaced.Bookmark));
        await RunAsync(admins[0], "copy", "INSERT INTO t (v) VALUES ('goes on')");
        Assert.Equal([3L], await QueryAsync(admins[1], "copy", "SELECT max(id) FROM t", "first-primary"));
        Assert.True(string.CompareOrdinal(replaced.Bookmark, before) > 0);
        foreach (var admin in admins) await admin.DisposeAsync();
    }

    [Fact]
    public async Task Bad_input_creates_nothing_and_changes_nothing()
    {
        await using var cluster = await D1Cluster.StartAsync();
        await using var admin = cluster.Channel(0);
        await admin.CallAsync(AdminMethods.CreateDatabase, new CreateDatabaseRequest { Name = "shop" });
        await RunAsync(admin, "shop", Some);
        var whole = (await ExportAsync(admin, new ExportRequest { Database = "shop", Format = ExportFormat.Sqlite })).Bytes;
        foreach (var (format, bytes) in new[]
        {
            (ExportFormat.Sqlite, whole[..^1]), (ExportFormat.Sqlite, []), (ExportFormat.Sqlite, Encoding.UTF8.GetBytes(Some)),
            (ExportFormat.Sqlite, [.. whole[..4096], .. new byte[whole.Length - 4096]]),
            (ExportFormat.Sql, whole), (ExportFormat.Sql, Encoding.UTF8.GetBytes(Some + "INSERT INTO nope VALUES (1)")), (ExportFormat.Sql, "SELECT '"u8.ToArray()),
        })
        {
            Assert.Contains(await RefusedAsync(() => ImportAsync(admin, new ImportHeader { Database = "new", Format = format }, bytes)), _refusals);
            Assert.Contains(await RefusedAsync(() => ImportAsync(admin, new ImportHeader { Database = "shop", Format = format, Replace = true }, bytes)), _refusals);
        }

        Assert.Equal(ErrorCodes.SqliteError, await RefusedAsync(() => ImportAsync(
            admin, new ImportHeader { Database = "shop", Format = ExportFormat.Sql, Append = true }, "INSERT INTO t (v) VALUES ('gone'); INSERT INTO nope VALUES (1)"u8.ToArray())));
        Assert.Equal(ErrorCodes.DatabaseNotFound, await RefusedAsync(() => ImportAsync(admin, new ImportHeader { Database = "nope", Format = ExportFormat.Sql, Append = true }, "SELECT 1"u8.ToArray())));
        Assert.Equal(ErrorCodes.InvalidRequest, await RefusedAsync(() => ImportAsync(admin, new ImportHeader { Database = "shop", Format = ExportFormat.Sqlite, Append = true }, whole)));
        Assert.Equal(ErrorCodes.InvalidRequest, await RefusedAsync(() => ImportAsync(admin, new ImportHeader { Database = "not a name", Format = ExportFormat.Sqlite }, whole)));
        Assert.Equal([2L], await QueryAsync(admin, "shop", "SELECT count(*) FROM t", ""));
        Assert.Equal(["shop"], (await admin.CallAsync(AdminMethods.ListDatabases, new ListDatabasesRequest())).Databases.Select(database => database.Name));
        Assert.Empty(Directory.EnumerateFiles(cluster.TransferFolder(0)));
    }

    [Fact]
    public async Task SQL_is_appended_as_one_transaction_and_told_of()
    {
        await using var cluster = await D1Cluster.StartAsync();
        await using var near = cluster.Channel(0);
        await using var far = cluster.Channel(2);
        await near.CallAsync(AdminMethods.CreateDatabase, new CreateDatabaseRequest { Name = "shop", PrimaryRegion = "enam" });
        var appended = await ImportAsync(far, new ImportHeader { Database = "shop", Format = ExportFormat.Sql, Append = true }, Encoding.UTF8.GetBytes(Some));
        Assert.Equal(4, appended.Import.Statements);
        Assert.True(appended.Import.Changes >= 3 && appended.SizeBytes > 4096);
        Assert.Equal([2L], await QueryAsync(far, "shop", "SELECT count(*) FROM t", appended.Bookmark));
    }

    [Fact]
    public async Task A_state_of_the_past_is_exported_and_writers_go_on_meanwhile()
    {
        await using var cluster = await D1Cluster.StartAsync();
        await using var admin = cluster.Channel(0);
        await admin.CallAsync(AdminMethods.CreateDatabase, new CreateDatabaseRequest { Name = "shop" });
        await RunAsync(admin, "shop", Some);
        var past = (await admin.CallAsync(AdminMethods.GetDatabase, new GetDatabaseRequest { Database = "shop" })).Bookmark;
        await RunAsync(admin, "shop", "DELETE FROM t");

        // Half an export is read, a write goes through, and the other half is still of the state that it began with.
        var old = await ExportAsync(admin, new ExportRequest { Database = "shop", Format = ExportFormat.Sql, Bookmark = past }, meanwhile: () => RunAsync(admin, "shop", "INSERT INTO t (v) VALUES ('meanwhile')"));
        Assert.Equal(past, old.Bookmark);
        Assert.Contains("'a;b'", Encoding.UTF8.GetString(old.Bytes), StringComparison.Ordinal);
        Assert.DoesNotContain("meanwhile", Encoding.UTF8.GetString(old.Bytes), StringComparison.Ordinal);
        Assert.Equal(ErrorCodes.BookmarkMalformed, await RefusedAsync(() => ExportAsync(admin, new ExportRequest { Database = "shop", Format = ExportFormat.Sql, Bookmark = "x" })));
        Assert.Equal(ErrorCodes.BookmarkForeign, await RefusedAsync(() => ExportAsync(admin, new ExportRequest { Database = "shop", Format = ExportFormat.Sql, Bookmark = "00000001-0000000000000001-0000000000000001" })));
        Assert.Equal(ErrorCodes.DatabaseNotFound, await RefusedAsync(() => ExportAsync(admin, new ExportRequest { Database = "nope", Format = ExportFormat.Sql })));
        Assert.Equal(ErrorCodes.InvalidRequest, await RefusedAsync(() => ExportAsync(admin, new ExportRequest { Database = "shop" })));
    }

    [Fact]
    public async Task It_takes_a_right_to_replace_and_to_create_and_less_to_append_and_to_read()
    {
        await using var cluster = await D1Cluster.StartAsync();
        await using var admin = cluster.Channel(0);
        var id = (await admin.CallAsync(AdminMethods.CreateDatabase, new CreateDatabaseRequest { Name = "shop" })).Id;
        var sql = "CREATE TABLE IF NOT EXISTS t (v)"u8.ToArray();
        await using var reader = cluster.Channel(0, await cluster.CreateTokenAsync(Right.Read, id));
        await using var writer = cluster.Channel(0, await cluster.CreateTokenAsync(Right.Write, id));
        await using var owner = cluster.Channel(0, await cluster.CreateTokenAsync(Right.Admin, id));
        Assert.NotEmpty((await ExportAsync(reader, new ExportRequest { Database = "shop", Format = ExportFormat.Sql })).Bytes);
        Assert.Equal(ErrorCodes.TokenLacksRight, await RefusedAsync(() => ImportAsync(reader, new ImportHeader { Database = "shop", Format = ExportFormat.Sql, Append = true }, sql)));
        await ImportAsync(writer, new ImportHeader { Database = "shop", Format = ExportFormat.Sql, Append = true }, sql);
        Assert.Equal(ErrorCodes.TokenLacksRight, await RefusedAsync(() => ImportAsync(writer, new ImportHeader { Database = "shop", Format = ExportFormat.Sql, Replace = true }, sql)));
        await ImportAsync(owner, new ImportHeader { Database = "shop", Format = ExportFormat.Sql, Replace = true }, sql);
        Assert.Equal(ErrorCodes.TokenLacksRight, await RefusedAsync(() => ImportAsync(owner, new ImportHeader { Database = "new", Format = ExportFormat.Sql }, sql)));
    }

    private static async Task<(byte[] Bytes, string Bookmark)> ExportAsync(GrpcChannel channel, ExportRequest request, Func<Task<ExecuteResponse>>? meanwhile = null)
    {
        using var bytes = new MemoryStream();
        var (bookmark, total) = ("", -1L);
        await foreach (var chunk in channel.OpenServerStream(AdminMethods.Export, request))
        {
            if (total < 0)
            {
                (bookmark, total) = (chunk.Bookmark, chunk.TotalBytes);
                if (meanwhile is not null) await meanwhile();
            }

            bytes.Write(chunk.Data.Span);
        }

        Assert.Equal(total, bytes.Length);
        return (bytes.ToArray(), bookmark);
    }

    private static Task<Database> ImportAsync(GrpcChannel channel, ImportHeader header, byte[] bytes)
    {
        return channel.CallAsync(AdminMethods.Import, Parts());

        async IAsyncEnumerable<ImportRequest> Parts()
        {
            yield return new ImportRequest { Header = header };
            for (var at = 0; at < bytes.Length; at += 5000)
            {
                await Task.Yield();
                yield return new ImportRequest { Data = ByteString.CopyFrom(bytes.AsSpan(at, Math.Min(5000, bytes.Length - at))) };
            }
        }
    }

    private static async Task<string> RefusedAsync(Func<Task> call)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(call);
        return refused.FindDetail<SqlError>()?.Code ?? $"{refused.StatusCode}: {refused.Detail}";
    }

    private static Task<ExecuteResponse> RunAsync(GrpcChannel channel, string database, string sql) =>
        channel.CallAsync(QueryMethods.Execute, new ExecuteRequest { Database = database, Statements = { new Statement { Sql = sql } }, Script = true });

    private static async Task<IEnumerable<long>> QueryAsync(GrpcChannel channel, string database, string sql, string session)
    {
        var response = await channel.CallAsync(
            QueryMethods.Execute, new ExecuteRequest { Database = database, Statements = { new Statement { Sql = sql } }, Read = new ReadOptions { Session = session } });
        return response.Results[0].Rows.Columns[0].Integers;
    }
}
