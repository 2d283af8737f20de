using ReplicatedSqlite.Client.Tests;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cli.Tests;

public sealed class CommandTests
{
    [Fact]
    public async Task SQL_from_the_command_line_is_one_script_in_a_first_primary_session()
    {
        await using var server = await FakeServer.StartAsync();
        var sent = Record(server, Answer.Table(["a"], [1L]));
        var (code, output, error) = await Rsql.RunAsync(server, "shop", "SELECT 1; SELECT 2", "SELECT 3", "--mode", "csv", "--bookmark");
        Assert.Equal((0, "a\r\n1\r\na\r\n1\r\n", Answer.Bookmark(2) + "\n"), (code, output, error));
        Assert.Equal(["SELECT 1;\nSELECT 2", "SELECT 3"], sent.Select(request => request.Statements[0].Sql));
        Assert.Equal(["first-primary", Answer.Bookmark(1).ToString()], sent.Select(request => request.Read.Session));
        Assert.Equal([true, false], sent.Select(request => request.Script)); // one statement needs no script
        Assert.All(sent, request => Assert.Equal("shop", request.Database));
    }

    [Fact]
    public async Task A_session_starts_where_it_is_told_to()
    {
        await using var server = await FakeServer.StartAsync();
        var sent = Record(server, Answer.Table(["a"], [1L]));
        await Rsql.RunAsync(server, "--server", server.Address, "shop", "SELECT 1", "--session", Answer.Bookmark(5).ToString());
        Assert.Equal(Answer.Bookmark(5).ToString(), sent[0].Read.Session);
        var (code, _, error) = await Rsql.RunAsync(server, "shop", "SELECT 1", "--session", "yesterday");
        Assert.Equal(2, code);
        Assert.Contains("'yesterday' starts no session", error, StringComparison.Ordinal);
        Assert.Single(sent);
    }

    [Theory]
    [InlineData("SQLITE_CONSTRAINT_UNIQUE", 1)]
    [InlineData(ErrorCodes.DatabaseNotFound, 1)]
    [InlineData(ErrorCodes.BookmarkForeign, 1)]
    [InlineData(ErrorCodes.BookmarkTimeout, 3)]
    [InlineData(ErrorCodes.NoPrimary, 3)]
    [InlineData(ErrorCodes.Overloaded, 3)]
    [InlineData(ErrorCodes.WriteOutcomeUnknown, 4)]
    public async Task The_exit_code_says_what_kind_of_failure_it_was(string errorCode, int exitCode)
    {
        await using var server = await FakeServer.StartAsync();
        server.OnStream = (_, _, _) => throw new RequestException(errorCode, "what happened");
        var (code, output, error) = await Rsql.RunAsync(server, "shop", "INSERT INTO t VALUES (1)");
        Assert.Equal((exitCode, "", $"error: what happened [{errorCode}]\n"), (code, output, error));
    }

    [Fact]
    public async Task A_broken_write_ends_with_4_and_a_missing_server_with_3()
    {
        await using var server = await FakeServer.StartAsync();
        server.OnStream = (_, _, _) => throw new RpcException(StatusCode.Unavailable, "broke");
        Assert.Equal(4, (await Rsql.RunAsync(server, "shop", "INSERT INTO t VALUES (1)")).Code);
        Assert.Equal(3, (await Rsql.RunAsync(server, "shop", "SELECT * FROM t")).Code);
        Assert.Equal(3, (await Rsql.RunAsync("127.0.0.1:1", "", false, "shop", "INSERT INTO t VALUES (1)")).Code);
    }

    [Theory]
    [InlineData("shop", "SELECT 1", "--mode", "tables")]
    [InlineData("shop", "--bookmarks", "SELECT 1")] // to SQL it would be a comment
    [InlineData("create")]
    [InlineData("--server", "nowhere", "shop", "SELECT 1")]
    [InlineData("shop", ".mode tables")]
    [InlineData("shop", ".unknown")]
    [InlineData("shop", ".read")]
    [InlineData("shop", ".read /no/such/file.sql")]
    public async Task Wrong_usage_ends_with_2_and_says_why(params string[] args)
    {
        await using var server = await FakeServer.StartAsync();
        var (code, _, error) = await Rsql.RunAsync(server, args);
        Assert.Equal(2, code);
        Assert.Contains("error", error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task An_error_marks_its_place_in_the_SQL()
    {
        await using var server = await FakeServer.StartAsync();
        server.OnStream = (_, _, _) => throw new RequestException(
            new SqlError { Code = "SQLITE_ERROR", StatementIndex = 1, SqlOffset = "SELECT 1;\nSELECT 2 ".Length }, "near \"FORM\": syntax error");
        var (code, _, error) = await Rsql.RunAsync(server, "shop", "SELECT 1;\nSELECT 2 FORM t");
        Assert.Equal(1, code);
        Assert.Equal("error: near \"FORM\": syntax error [SQLITE_ERROR]\n  line 2:10\n  SELECT 2 FORM t\n           ^\n", error);
    }

    [Fact]
    public async Task An_error_in_a_long_file_names_the_line_and_what_was_kept()
    {
        await using var server = await FakeServer.StartAsync();
        var calls = 0;
        server.OnStream = (_, writer, _) => ++calls == 1
            ? writer.WriteAsync(Answer.Done(1))
            : throw new RequestException(new SqlError { Code = "SQLITE_CONSTRAINT_UNIQUE", StatementIndex = 0, SqlOffset = -1, CommitState = Protocol.V1.CommitState.NotCommitted }, "UNIQUE failed");
        using var file = new TemporaryFile("CREATE TABLE t(x);\nBEGIN;\nINSERT INTO t VALUES(1);\nCOMMIT;\n");
        var (code, _, error) = await Rsql.RunAsync(server, "shop", $".read \"{file.Path}\"");
        Assert.Equal(1, code);
        Assert.Equal(
            $"""
            error: UNIQUE failed [SQLITE_CONSTRAINT_UNIQUE]
              {Path.GetFileName(file.Path)}:3
              INSERT INTO t VALUES(1);
            Everything before line 3 is loaded; of lines 3 to 3, sent together, nothing is.

            """,
            error);
    }

    [Fact]
    public async Task A_long_file_is_loaded_in_chunks_under_a_progress_bar()
    {
        await using var server = await FakeServer.StartAsync();
        var sent = Record(server, new Result());
        var lines = Enumerable.Range(0, 20_000).Select(i => $"INSERT INTO t VALUES({i}, 'some text to fill the line; more');");
        using var file = new TemporaryFile(string.Join('\n', lines));
        var (code, output, error) = await Rsql.RunAsync(server.Address, "", false, true, "shop", $".read '{file.Path}'");
        Assert.Equal((0, ""), (code, output));
        Assert.True(sent.Count > 3, $"{sent.Count} chunks");
        Assert.Equal(lines, sent.SelectMany(request => request.Statements[0].Sql.Split('\n')));
        Assert.Equal(sent.Take(sent.Count - 1).Select((_, i) => Answer.Bookmark((ulong)i + 1).ToString()), sent.Skip(1).Select(request => request.Read.Session));
        Assert.DoesNotContain("error", error, StringComparison.Ordinal); // the bar itself is drawn on real terminals only
    }

    [Fact]
    public async Task A_dump_from_a_pipe_is_sent_as_one_transaction()
    {
        await using var server = await FakeServer.StartAsync();
        var sent = Record(server, new Result());
        const string Dump = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE t(x);\nINSERT INTO t VALUES(1);\nCOMMIT;\n";
        var (code, output, error) = await Rsql.RunAsync(server.Address, Dump, interactive: false, "shop");
        Assert.Equal((0, "", ""), (code, output, error));
        Assert.True(Assert.Single(sent).Script);
        Assert.Equal("PRAGMA defer_foreign_keys=ON;\nCREATE TABLE t(x);\nINSERT INTO t VALUES(1);", sent[0].Statements[0].Sql);
    }

    [Fact]
    public async Task A_dump_that_is_too_large_is_refused_before_anything_is_sent()
    {
        await using var server = await FakeServer.StartAsync();
        var text = new string('x', 1024 * 1024);
        var dump = "BEGIN;\n" + string.Concat(Enumerable.Repeat($"INSERT INTO t VALUES('{text}');\n", 16)) + "COMMIT;";
        var (code, _, error) = await Rsql.RunAsync(server.Address, dump, interactive: false, "shop");
        Assert.Equal(1, code);
        Assert.Contains("one transaction of 16.0 MiB; a request carries 15.9 MiB at most", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dot_commands_work_between_statements()
    {
        await using var server = await FakeServer.StartAsync();
        Record(server, Answer.Table(["a"], [1L]));
        var (code, output, _) = await Rsql.RunAsync(server.Address, ".mode json\nSELECT 1;\n.mode csv\n.headers off\nSELECT 1;\n.bookmark\n.quit\nSELECT 9;", false, "shop");
        Assert.Equal((0, $"[{{\"a\":1}}]\n1\r\n{Answer.Bookmark(2)}\n"), (code, output));
    }

    [Fact]
    public async Task A_person_may_type_a_statement_over_several_lines_and_go_on_after_an_error()
    {
        await using var server = await FakeServer.StartAsync();
        var sent = Record(server, Answer.Table(["a"], [1L]));
        var (code, output, error) = await Rsql.RunAsync(server.Address, "SELECT\n1;\n.nonsense\nSELECT 2;\n", interactive: true, "shop", "-m", "line");
        Assert.Equal(0, code);
        Assert.Equal(["SELECT\n1;", "SELECT 2;"], sent.Select(request => request.Statements[0].Sql));
        Assert.Contains("rsql>    -> ", output, StringComparison.Ordinal);
        Assert.Contains("'.nonsense' is no command", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Databases_are_created_listed_and_deleted()
    {
        await using var server = await FakeServer.StartAsync();
        var created = await Rsql.RunAsync(server, "create", "shop", "--region", "apac", "--replicas", "enam,weur", "--followers", "3", "--quorum", "2");
        Assert.Equal((0, "shop (00000000-0000-0000-0000-000000000000): primary in apac, replicas in enam, weur\n"), (created.Code, created.Output));
        Assert.Equal((3u, 2u), (server.Databases["shop"].Options.Followers, server.Databases["shop"].Options.Quorum));
        await Rsql.RunAsync(server, "create", "books", "--replicas", "none");
        Assert.Null(server.Databases["books"].Options);
        var again = await Rsql.RunAsync(server, "create", "books");
        Assert.Equal((1, "error: There is a database 'books' already. [DATABASE_EXISTS]\n"), (again.Code, again.Error));
        var list = await Rsql.RunAsync(server, "list", "-m", "csv");
        Assert.Equal("name,id,primary,replicas,size_bytes,bookmark\r\nbooks,00000000-0000-0000-0000-000000000001,weur,none,0,\"\"\r\n"
            + "shop,00000000-0000-0000-0000-000000000000,apac,\"enam,weur\",0,\"\"\r\n", list.Output);
        Assert.Equal(2, (await Rsql.RunAsync(server.Address, "other\n", interactive: true, "delete", "shop")).Code);
        Assert.Contains("shop", server.Databases.Keys);
        Assert.Equal(0, (await Rsql.RunAsync(server.Address, "shop\n", interactive: true, "delete", "shop")).Code);
        Assert.Equal(0, (await Rsql.RunAsync(server, "delete", "books")).Code);
        Assert.Equal(1, (await Rsql.RunAsync(server, "delete", "books")).Code);
        Assert.Empty(server.Databases);
    }

    [Fact]
    public async Task A_primary_is_moved_and_both_names_are_wanted()
    {
        await using var server = await FakeServer.StartAsync();
        await Rsql.RunAsync(server, "create", "shop", "--region", "enam");
        var moved = await Rsql.RunAsync(server, "move", "shop", "apac");
        Assert.Equal((0, "shop (00000000-0000-0000-0000-000000000000): primary in apac, epoch 2\n"), (moved.Code, moved.Output));
        Assert.Equal("apac", server.Databases["shop"].PrimaryRegion);
        Assert.Equal(2, (await Rsql.RunAsync(server, "move", "shop")).Code);
        Assert.Equal(1, (await Rsql.RunAsync(server, "move", "books", "apac")).Code);
    }

    [Fact]
    public async Task The_topology_shows_nodes_or_copies()
    {
        await using var server = await FakeServer.StartAsync();
        Assert.Equal("node,region,grpc,http,alive\r\nn1,weur,127.0.0.1:7101,127.0.0.1:7201,yes\r\n", (await Rsql.RunAsync(server, "topology", "-m", "csv")).Output);
        Assert.Equal(
            $"node,region,role,follows,alive,bookmark,behind,confirm_lag_ms,stale_ms\r\nn1,weur,primary,yes,yes,{Answer.Bookmark(9)},,,\r\nn2,enam,replica,no,yes,{Answer.Bookmark(7)},2,1.5,30\r\nn3,,follower,yes,no,,,,\r\n", (await Rsql.RunAsync(server, "topology", "shop", "-m", "csv")).Output);
    }

    [Fact]
    public async Task Help_lists_the_exit_codes()
    {
        var (code, output, _) = await Rsql.RunAsync("127.0.0.1:1", "", false, "--help");
        Assert.Equal(0, code);
        Assert.Contains("4 outcome of a write unknown", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_may_have_the_name_of_a_command()
    {
        await using var server = await FakeServer.StartAsync();
        var sent = Record(server, Answer.Table(["a"], [1L]));
        var (code, output, _) = await Rsql.RunAsync(server, "-m", "line", "--", "list", "SELECT a");
        Assert.Equal((0, "    a = 1\n"), (code, output));
        Assert.Equal("list", Assert.Single(sent).Database);
    }

    [Fact]
    public async Task SQL_that_begins_like_an_option_or_a_file_of_arguments_is_SQL()
    {
        await using var server = await FakeServer.StartAsync();
        var sent = Record(server, Answer.Table(["a"], [1L]));
        foreach (var sql in new[] { "-- a comment\nSELECT 1", "@x" }) Assert.Equal(0, (await Rsql.RunAsync(server, "shop", sql)).Code);
        Assert.Equal(["SELECT 1", "@x"], sent.Select(request => request.Statements[0].Sql));
    }

    // Answers each stream with the same result and a growing bookmark.
    private static List<StreamRequest> Record(FakeServer server, Result result)
    {
        var sent = new List<StreamRequest>();
        server.OnStream = async (request, writer, _) =>
        {
            sent.Add(request);
            foreach (var message in Answer.Stream(result, (ulong)sent.Count)) await writer.WriteAsync(message);
        };
        return sent;
    }
}
