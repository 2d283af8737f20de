using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>The error table at the head of query.proto, one test or more for each code. Here: what SQL itself fails with.</summary>
[Trait("Code", ErrorCodes.SqliteError)]
[Trait("Code", ErrorCodes.SqliteMismatch)]
[Trait("Code", ErrorCodes.SqliteTooBig)]
[Trait("Code", ErrorCodes.SqliteAuth)]
[Trait("Code", ErrorCodes.SqliteFull)]
[Trait("Code", ErrorCodes.SqliteConstraint)]
[Trait("Code", ErrorCodes.Parameters)]
[Trait("Code", ErrorCodes.InvalidRequest)]
[Trait("Code", ErrorCodes.StatementTimeout)]
[Trait("Code", ErrorCodes.ResultTooLarge)]
public sealed class ErrorTableTests(ContractCluster contract) : IClassFixture<ContractCluster>
{
    private const string Endless = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) ";
    private static readonly Value _one = new() { Integer = 1 };

    private static readonly SqlFailure[] _rows =
    [
        new("SQLITE_ERROR", 1, "no such column: nope", "SELECT 'ü', nope FROM t") { At = "nope" },
        new("SQLITE_ERROR", 1, "near \"SELEC\": syntax error", "SELECT 1", "SELECT 2", "SELEC 3") { Index = 2, At = "SELEC" },
        new("SQLITE_ERROR", 1, "no such table: nowhere", "SELECT 'ß'; SELECT 2; SELECT * FROM nowhere") { Index = 2, IsScript = true }, // SQLite does not say where
        new("SQLITE_ERROR", 1, "no such column: nope", "SELECT 'ß'; SELECT 2; SELECT nope FROM t") { Index = 2, IsScript = true, At = "nope" },
        new("SQLITE_ERROR", 1, "no such table: nowhere", "INSERT INTO t (x) VALUES ('c')", "INSERT INTO nowhere VALUES (1)") { Index = 1, At = null },
        new("SQLITE_ERROR", 1, "integer overflow", "SELECT abs(-9223372036854775807 - 1)"),
        new("SQLITE_ERROR", 1, "malformed JSON", "SELECT json('{')"),
        new("SQLITE_MISMATCH", 20, "datatype mismatch", "INSERT INTO t (x) VALUES ('c')", "INSERT INTO t (id) VALUES ('no number')") { Index = 1 },
        new("SQLITE_TOOBIG", 18, "string or blob too big", "SELECT zeroblob(16777217)"),
        new("SQLITE_TOOBIG", 18, "string or blob too big", "UPDATE plain SET v = zeroblob(16777217)"),
        new("SQLITE_AUTH", 23, "ATTACH and DETACH are not allowed", "ATTACH ':memory:' AS x"),
        new("SQLITE_AUTH", 23, "every request is one transaction already", "SELECT 1", "COMMIT") { Index = 1 },
        new("SQLITE_AUTH", 23, "belong to the server", "INSERT INTO t (x) VALUES ('c'); DELETE FROM _rs_requests") { Index = 1, IsScript = true },
        new("SQLITE_AUTH", 23, "SAVEPOINT", "SAVEPOINT s") { By = ["Execute", "Stream"] },
        new("SQLITE_FULL", 13, "database or disk is full", "INSERT INTO full DEFAULT VALUES") { EndsTransaction = true }, // SQLite rolls back
        new("SQLITE_CONSTRAINT_CHECK", 275, "CHECK constraint failed: y >= 0", "INSERT INTO t (y) VALUES (-1)"),
        new("SQLITE_CONSTRAINT_FOREIGNKEY", 787, "FOREIGN KEY constraint failed", "INSERT INTO child VALUES (99)"),
        new("SQLITE_CONSTRAINT_FOREIGNKEY", 787, "FOREIGN KEY constraint failed", "INSERT INTO late VALUES (99)") { Index = -1, By = ["Execute", "Stream"] },
        new("SQLITE_CONSTRAINT_NOTNULL", 1299, "NOT NULL constraint failed: t.y", "INSERT INTO t (y) VALUES (NULL)"),
        new("SQLITE_CONSTRAINT_PRIMARYKEY", 1555, "UNIQUE constraint failed: t.id", "INSERT INTO t (id) VALUES (1)"),
        new("SQLITE_CONSTRAINT_PRIMARYKEY", 1555, "UNIQUE constraint failed: words.word", "INSERT INTO words VALUES ('w')"),
        new("SQLITE_CONSTRAINT_UNIQUE", 2067, "UNIQUE constraint failed: t.x", "INSERT INTO t (x) VALUES ('c'); INSERT INTO t (x) VALUES ('a')") { Index = 1, IsScript = true },
        new("SQLITE_CONSTRAINT_UNIQUE", 2067, "UNIQUE constraint failed: t.x", "INSERT OR ROLLBACK INTO t (x) VALUES ('a')") { EndsTransaction = true },
        new("SQLITE_CONSTRAINT_ROWID", 2579, "UNIQUE constraint failed: plain.rowid", "INSERT INTO plain (rowid) VALUES (1)"),
        new("SQLITE_CONSTRAINT_TRIGGER", 1811, "rows stay", "DELETE FROM t"),
        new("SQLITE_CONSTRAINT_DATATYPE", 3091, "cannot store TEXT value in INTEGER column strict_one.n", "INSERT INTO strict_one VALUES ('x')"),
        new("SQLITE_CONSTRAINT", 19, "rtree constraint failed: box.(low<=high)", "INSERT INTO box VALUES (1, 5, 2)"),
        new("PARAMETERS", 0, "parameter", "SELECT 1", "SELECT ?, ?") { Index = 1, Parameters = [_one] },
        new("PARAMETERS", 0, "parameter", "UPDATE t SET y = ?1") { Parameters = [_one, _one] },
        new("INVALID_REQUEST", 0, "several statements", "SELECT 1; SELECT 2") { At = " SELECT 2" },
        new("INVALID_REQUEST", 0, "no SQL", "SELECT 1", " -- nothing") { Index = 1 },
        new("INVALID_REQUEST", 0, "statement") { Index = -1 },
        new("STATEMENT_TIMEOUT", 0, "longer than their timeout of 100 ms", "SELECT 1", Endless + "SELECT count(*) FROM n") { Index = 1, Timeout = TimeSpan.FromMilliseconds(100) },
        new("STATEMENT_TIMEOUT", 0, "longer than their timeout of 100 ms", Endless + "INSERT INTO plain SELECT i FROM n") { Timeout = TimeSpan.FromMilliseconds(100), EndsTransaction = true }, // as with every write that is interrupted
        new("RESULT_TOO_LARGE", 0, "Use Stream", "SELECT 1", "SELECT hex(zeroblob(3000000))") { Index = 1, By = ["Execute"] },
    ];

    public static TheoryData<int> Rows => [.. Enumerable.Range(0, _rows.Length)];

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task SQL_fails_alike_on_every_copy_and_by_every_rpc(int row)
    {
        var expected = _rows[row];
        var differences = new List<string>();
        SqlError? first = null;
        string? firstMessage = null;
        foreach (var rpc in expected.By)
        {
            foreach (var (place, region, inSession) in ContractCluster.Places)
            {
                var found = await contract.FailAsync(rpc, region, expected.Request(inSession ? contract.Bookmark.ToString() : ""));
                var error = found.Error!;
                void Compare<T>(string what, T wanted, T is_)
                {
                    if (!Equals(wanted, is_))
                    {
                        differences.Add($"{rpc} at {place}: {what} is {is_} and should be {wanted}");
                    }
                }

                Compare("code", expected.Code, error.Code);
                Compare("status", ErrorCodes.StatusOf(expected.Code), found.Status);
                Compare("sqlite_code", expected.SqliteCode, error.SqliteCode);
                Compare("statement_index", expected.Index, error.StatementIndex);
                Compare("sql_offset", expected.Offset, error.SqlOffset);
                Compare("commit_state", Protocol.V1.CommitState.NotCommitted, error.CommitState);
                Compare("retryable", false, error.Retryable);
                Compare("retry_after", null, error.RetryAfter);
                Compare("ended", rpc == "Transact" && expected.EndsTransaction, found.Ended);
                Compare("its bookmark reaching what was read", true, Bookmark.TryParse(error.Bookmark, out var bookmark) && bookmark >= contract.Bookmark);
                if (!found.Message.Contains(expected.Message, StringComparison.Ordinal))
                {
                    differences.Add($"{rpc} at {place}: the message is {found.Message}");
                }

                first ??= error;
                Compare("message", firstMessage ??= found.Message, found.Message);
                Compare("the error as a whole", new SqlError(first) { Bookmark = "" }, new SqlError(error) { Bookmark = "" });
            }
        }

        Assert.True(differences.Count == 0, $"{expected}\n  {string.Join("\n  ", differences)}");
        var answer = await contract.Cluster.Database(1, "d").ExecuteAsync("SELECT (SELECT group_concat(x) FROM t), (SELECT count(*) FROM child), (SELECT count(*) FROM late), (SELECT group_concat(v) FROM plain)");
        Assert.Equal(["a,b", 0L, 0L, "1"], Enumerable.Range(0, 4).Select(i => answer.First.Rows[0][i])); // nothing was done
    }

    [Fact]
    public void Every_constraint_has_its_row()
    {
        // COMMITHOOK, FUNCTION, VTAB and PINNED need hooks, functions or modules that are not there.
        Assert.Equal(
            ["", "_CHECK", "_DATATYPE", "_FOREIGNKEY", "_NOTNULL", "_PRIMARYKEY", "_ROWID", "_TRIGGER", "_UNIQUE"],
            _rows.Where(row => row.Code.StartsWith("SQLITE_CONSTRAINT", StringComparison.Ordinal)).Select(row => row.Code[17..]).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_code_of_the_contract_has_its_test()
    {
        string[] cannotOccur = [ErrorCodes.Internal]; // for bugs that are not known
        var tests = new[] { typeof(ErrorTableTests), typeof(ServerErrorTests), typeof(TokenTests), typeof(Watching.RunningQueryTests) };
        var covered = tests.SelectMany(type => type.GetMethods().Cast<System.Reflection.MemberInfo>().Prepend(type))
            .SelectMany(member => member.GetCustomAttributesData())
            .Where(attribute => attribute.AttributeType == typeof(TraitAttribute))
            .Select(attribute => (string)attribute.ConstructorArguments[1].Value!);
        var codes = typeof(ErrorCodes).GetFields().Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!);
        Assert.Equal(codes.Order(StringComparer.Ordinal), covered.Concat(cannotOccur).Distinct().Order(StringComparer.Ordinal));
        Assert.Empty(_rows.Select(row => row.Code.StartsWith("SQLITE_CONSTRAINT", StringComparison.Ordinal) ? ErrorCodes.SqliteConstraint : row.Code).Except(covered));
    }
}
