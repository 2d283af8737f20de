using Google.Protobuf;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>The same request gives the same rows, counts, columns and error on the primary and on a replica that is at the same state.</summary>
public sealed class SameAnswerTests
{
    public static TheoryData<string> Files => [.. Directory.GetFiles(Folder, "*.sql").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)];

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Fuzz", "Statements");

    [Fact]
    public async Task Every_statement_of_the_corpus()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        int compared = 0, byReplica = 0;
        foreach (var (file, index) in Files.Select((row, index) => (row.Data, index)))
        {
            var name = $"corpus{index}";
            await cluster.Client(0).Admin.CreateDatabaseAsync(name);
            var bookmark = await cluster.Client(0).Admin.GetBookmarkAsync(name);
            foreach (var sql in File.ReadLines(Path.Combine(Folder, file + ".sql")).Where(line => !line.StartsWith("--", StringComparison.Ordinal)))
            {
                var (reached, wasReplica) = await CompareAsync(cluster, name, bookmark, new Statement { Sql = sql }, IsFixed(sql));
                bookmark = reached;
                compared++;
                byReplica += wasReplica ? 1 : 0;
            }
        }

        Assert.True(compared >= 500 && byReplica >= 200, $"{compared} statements were compared, {byReplica} of them with a replica's own answer");
        cluster.Log.HasNoErrors();
    }

    [Fact]
    public async Task Random_requests_right_and_wrong()
    {
        var seed = Dose.Seed();
        var random = new Random(seed);
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.Client(0).Admin.CreateDatabaseAsync("d");
        var bookmark = (await cluster.Database(0, "d").ScriptAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b TEXT COLLATE NOCASE, c REAL); CREATE INDEX ta ON t (a)")).Bookmark;
        string[] columns = ["id", "a", "b", "c", "nope", "rowid", "a + c", "count(*)", "max(b)", "typeof(a)", "abs(a)", "json(b)", "hex(a)"];
        string[] conditions = ["a > ?", "b = ?", "c IS NULL", "id IN (?, ?)", "b LIKE ?", "a = :named", "1", "json_extract(b, ?) = 1", "(SELECT max(a) FROM t) = a", "nope = 1"];
        string Pick(string[] from) => from[random.Next(from.Length)];
        for (var i = 0; i < Dose.Of(200, 5000); i++)
        {
            var sql = random.Next(10) switch
            {
                0 => "INSERT INTO t (a, b, c) VALUES (?, ?, ?)",
                1 => $"UPDATE t SET a = ? WHERE {Pick(conditions)}",
                2 => $"DELETE FROM t WHERE id = (SELECT max(id) FROM t) AND {Pick(conditions)}",
                3 => "INSERT INTO t (id, b) VALUES (?, ?) RETURNING *",
                4 => $"EXPLAIN QUERY PLAN SELECT {Pick(columns)} FROM t WHERE {Pick(conditions)}",
                _ => $"SELECT {Pick(columns)}, {Pick(columns)} AS \"ü\" FROM t WHERE {Pick(conditions)} ORDER BY 1 LIMIT {random.Next(20)}",
            };
            var statement = new Statement { Sql = sql };
            for (var parameters = sql.Count(c => c == '?') + (random.Next(12) == 0 ? 1 : 0); parameters > 0; parameters--)
            {
                statement.Positional.Add(random.Next(5) switch
                {
                    0 => new Value(),
                    1 => new Value { Integer = random.Next(-3, 30) },
                    2 => new Value { Real = random.NextDouble() * 10 },
                    3 => new Value { Text = Pick(["x", "Ä", "{\"a\":1}", "", "9223372036854775807"]) },
                    _ => new Value { Blob = ByteString.CopyFromUtf8("blob") },
                });
            }

            (bookmark, _) = await CompareAsync(cluster, "d", bookmark, statement, isFixed: true, $"seed {seed}, request {i}");
        }

        cluster.Log.HasNoErrors();
    }

    // What writes is run once and its answer not compared: the second run would be another. What is wrong is refused by both in the same words.
    private static async Task<(Bookmark Reached, bool WasReplica)> CompareAsync(
        ClusterFixture cluster, string database, Bookmark bookmark, Statement statement, bool isFixed, string place = "")
    {
        var describe = new DescribeRequest { Database = database, Sql = statement.Sql, Read = new() { Session = "first-primary" } };
        var (description, describeError) = await AskAsync(() => cluster.Channel(0).CallAsync(QueryMethods.Describe, describe));
        describe.Read.Session = bookmark.ToString();
        var (describedThere, describeErrorThere) = await AskAsync(() => cluster.Channel(1).CallAsync(QueryMethods.Describe, describe));
        Assert.True(Equals(description, describedThere), $"{place} {statement.Sql}\nprimary: {description}\nreplica: {describedThere}");
        Assert.True(describeError == describeErrorThere, $"{place} {statement.Sql}\nprimary: {describeError}\nreplica: {describeErrorThere}");

        var request = new ExecuteRequest { Database = database, Statements = { statement }, Read = new() { Session = "first-primary" } };
        var (first, error) = await AskAsync(() => cluster.Channel(0).CallAsync(QueryMethods.Execute, request));
        if (first is not null && description is { ReadOnly: false })
        {
            return (Bookmark.Parse(first.Bookmark), false);
        }

        // At the same state: nobody else writes.
        var again = new ExecuteRequest(request) { Database = database, Read = new() { Session = bookmark.ToString(), OnWaitTimeout = Protocol.V1.OnWaitTimeout.Fail } };
        var (second, secondError) = await AskAsync(() => cluster.Channel(1).CallAsync(QueryMethods.Execute, again));
        Assert.True(error == secondError, $"{place} {statement.Sql}\nprimary: {error}\nreplica: {secondError}");
        if (first is null)
        {
            return (bookmark, false);
        }

        for (var i = 0; i < first.Results.Count; i++)
        {
            var (one, other) = (Comparable(first.Results[i], isFixed), Comparable(second!.Results[i], isFixed));
            Assert.True(one.Equals(other), $"{place} {statement.Sql}\nprimary: {one}\nreplica: {other}");
        }

        return (bookmark, !second!.Served.Primary);
    }

    private static Result Comparable(Result result, bool isFixed)
    {
        var copy = new Result(result);
        copy.Meta.SqlDurationMs = 0;
        if (!isFixed)
        {
            copy.Rows = null;
        }

        return copy;
    }

    private static bool IsFixed(string sql) =>
        !sql.Contains("random", StringComparison.OrdinalIgnoreCase) && !sql.Contains("'now'", StringComparison.OrdinalIgnoreCase)
        && !sql.Contains("CURRENT_", StringComparison.OrdinalIgnoreCase) && !sql.Contains("data_version", StringComparison.OrdinalIgnoreCase);

    private static async Task<(T? Answer, string? Error)> AskAsync<T>(Func<Task<T>> ask)
        where T : class
    {
        try
        {
            return (await ask(), null);
        }
        catch (RpcException failure)
        {
            return (null, $"{failure.StatusCode} {failure.Detail} {new SqlError(failure.FindDetail<SqlError>()!) { Bookmark = "" }}");
        }
    }
}
