using Google.Protobuf;
using ReplicatedSqlite.Client.Tests;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cli.Tests;

public sealed class TransferCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rsql-transfer-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("shop.sql", ExportFormat.Sql)]
    [InlineData("shop.sqlite", ExportFormat.Sqlite)]
    public async Task An_export_is_a_file_of_the_kind_that_its_name_says(string name, ExportFormat format)
    {
        await using var server = await FakeServer.StartAsync();
        ExportRequest? asked = null;
        server.OnExport = async (request, writer) =>
        {
            asked = request;
            await writer.WriteAsync(new Chunk { Bookmark = Answer.Bookmark(3).ToString(), TotalBytes = 6, Data = ByteString.CopyFromUtf8("abc") });
            await writer.WriteAsync(new Chunk { Data = ByteString.CopyFromUtf8("def") });
        };
        var path = Path.Combine(_folder.FullName, name);
        var (code, output, error) = await Rsql.RunAsync(server.Address, "", interactive: false, showsProgress: true, "export", "shop", path);
        Assert.True(code == 0, error);
        Assert.Equal($"{path}: 6 bytes of shop at {Answer.Bookmark(3)}\n", output);
        Assert.Equal("abcdef", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal(("shop", format), (asked!.Database, asked.Format));
        Assert.Equal([name], _folder.GetFiles().Select(file => file.Name));
    }

    [Fact]
    public async Task Of_an_export_that_fails_or_is_cut_short_nothing_is_left()
    {
        await using var server = await FakeServer.StartAsync();
        var path = Path.Combine(_folder.FullName, "shop.sql");
        await File.WriteAllTextAsync(path, "older", TestContext.Current.CancellationToken);
        server.OnExport = async (_, writer) => await writer.WriteAsync(new Chunk { Bookmark = Answer.Bookmark(3).ToString(), TotalBytes = 6, Data = ByteString.CopyFromUtf8("abc") });
        var (code, _, error) = await Rsql.RunAsync(server, "export", "shop", path);
        Assert.NotEqual(0, code);
        Assert.Contains("3 of 6 bytes", error, StringComparison.Ordinal);
        server.OnExport = (_, _) => throw new RequestException(ErrorCodes.DatabaseNotFound, "There is no database 'shop'.");
        Assert.Equal(1, (await Rsql.RunAsync(server, "export", "shop", path)).Code);
        Assert.Equal(2, (await Rsql.RunAsync(server, "export", "shop", Path.Combine(_folder.FullName, "x.sqlite"), "--table", "t")).Code);
        Assert.Equal(2, (await Rsql.RunAsync(server, "export", "shop", "/nonexistent/x.sql")).Code);
        Assert.Equal("older", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        Assert.Single(_folder.GetFiles());
    }

    [Fact]
    public async Task An_import_sends_what_the_file_is_and_what_is_wanted()
    {
        await using var server = await FakeServer.StartAsync();
        var sent = new List<(ImportHeader Header, string Data)>();
        server.OnImport = async requests =>
        {
            var (header, data) = (new ImportHeader(), new MemoryStream());
            await foreach (var request in requests)
            {
                header = request.Header ?? header;
                data.Write(request.Data.Span);
            }

            sent.Add((header, System.Text.Encoding.UTF8.GetString(data.ToArray())));
            return new Database { Name = header.Database, Id = "id", SizeBytes = 8192, Bookmark = Answer.Bookmark(4).ToString(), Import = new ImportResult { Statements = 2, DurationMs = 1500 } };
        };
        var (sql, image) = (Path.Combine(_folder.FullName, "a"), Path.Combine(_folder.FullName, "b"));
        await File.WriteAllTextAsync(sql, "SELECT 1; SELECT 2", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(image, "SQLite format 3\0and more", TestContext.Current.CancellationToken);
        Assert.Equal((0, $"shop (id): 2 statements, 8192 bytes, 1.5 s, at {Answer.Bookmark(4)}\n", ""), await Rsql.RunAsync(server, "import", "shop", sql, "--append"));
        Assert.Equal(0, (await Rsql.RunAsync(server.Address, "", interactive: false, showsProgress: true, "import", "shop", image, "--replace", "--region", "weur", "--profile", "d1")).Code);
        Assert.Equal(2, (await Rsql.RunAsync(server, "import", "shop", Path.Combine(_folder.FullName, "missing"))).Code);
        Assert.Equal([(ExportFormat.Sql, true, false), (ExportFormat.Sqlite, false, true)], sent.Select(one => (one.Header.Format, one.Header.Append, one.Header.Replace)));
        Assert.Equal(["SELECT 1; SELECT 2", "SQLite format 3\0and more"], sent.Select(one => one.Data));
        Assert.Equal(("weur", "d1"), (sent[1].Header.Create.PrimaryRegion, sent[1].Header.Create.Options.Profile));
    }
}
