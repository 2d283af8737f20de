using ReplicatedSqlite.Protocol;
using static ReplicatedSqlite.Sqlite.Tests.SqlBench;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>Members of a group end as if each had run alone, one after the other.</summary>
public sealed class GroupPropertyTests
{
    private const string Schema = """
        CREATE TABLE t (id INTEGER PRIMARY KEY, v UNIQUE, n INT CHECK (n < 50));
        CREATE TABLE p (id INTEGER PRIMARY KEY);
        CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p, d REFERENCES p DEFERRABLE INITIALLY DEFERRED);
        CREATE TABLE log (what);
        CREATE TRIGGER tr AFTER UPDATE OF n ON t BEGIN INSERT INTO log VALUES (changes() || ':' || last_insert_rowid()); END;
        CREATE TRIGGER back BEFORE INSERT ON log WHEN new.what = 'back' BEGIN SELECT RAISE(ROLLBACK, 'went back'); END
        """;

    private static readonly string[] _tables = ["t", "p", "c", "log"];

    [Fact]
    public void Random_members_grouped_equal_the_same_members_alone()
    {
        var scale = Environment.GetEnvironmentVariable("RS_TEST_SCALE") is { Length: > 0 } text ? int.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : 1;
        for (var seed = 1; seed <= 25 * scale; seed++)
        {
            Compare(seed);
        }
    }

    private static void Compare(int seed)
    {
        var random = new Random(seed);
        using var grouped = new SqlBench(Schema);
        using var alone = new SqlBench(Schema);
        for (var round = 0; round < 4; round++)
        {
            var members = Enumerable.Range(0, random.Next(1, 40)).Select(_ => Member(random)).ToArray();
            var together = grouped.Group(members);
            for (var i = 0; i < members.Length; i++)
            {
                var single = alone.Group(members[i])[0];
                var (expected, found) = (Describe(single), Describe(together[i]));
                Assert.True(expected == found, $"seed {seed}, round {round}, member {i}: {Text(members[i])}\nalone:   {expected}\ngrouped: {found}");
            }

            foreach (var table in _tables)
            {
                var sql = $"SELECT * FROM {table} ORDER BY rowid";
                Assert.True(alone.Rows(sql) == grouped.Rows(sql), $"seed {seed}, round {round}: table {table} differs.\n{alone.Rows(sql)}\n{grouped.Rows(sql)}");
            }
        }

        Assert.Equal("ok", grouped.Rows("PRAGMA integrity_check"));
        Assert.Equal("", grouped.Rows("PRAGMA foreign_key_check"));
    }

    private static SqlRequest Member(Random random)
    {
        if (random.Next(40) == 0)
        {
            return Sql("VACUUM");
        }

        var statements = Enumerable.Range(0, random.Next(1, 5)).Select(_ => Statement(random)).ToArray();
        return random.Next(4) == 0 ? Script(string.Join(";\n", statements)) : Sql(statements);
    }

    private static string Statement(Random random)
    {
        var id = random.Next(1, 12);
        var other = random.Next(1, 12);
        var conflict = new[] { "", "", "", "OR IGNORE ", "OR REPLACE ", "OR FAIL ", "OR ABORT ", "OR ROLLBACK " }[random.Next(8)];
        return random.Next(18) switch
        {
            0 or 1 or 2 => $"INSERT {conflict}INTO t VALUES ({id}, {other}, {random.Next(60)})",
            3 => $"INSERT {conflict}INTO t (v) VALUES ({id}), ({other}) RETURNING id, v",
            4 => $"UPDATE {conflict}t SET n = n + {random.Next(20)} WHERE id < {id}",
            5 => $"DELETE FROM t WHERE id = {id}",
            6 => $"INSERT {conflict}INTO p VALUES ({id})",
            7 => $"INSERT INTO c (p, d) VALUES ({(random.Next(2) == 0 ? "NULL" : id)}, {other})",
            8 => $"DELETE FROM p WHERE id = {id}",
            9 => "PRAGMA defer_foreign_keys = ON",
            10 => "SELECT last_insert_rowid(), changes(), total_changes()",
            11 => "SELECT count(*), sum(n), max(v) FROM t",
            12 => $"CREATE TABLE IF NOT EXISTS extra{id} (a); INSERT INTO extra{id} VALUES ({other})".Split(';')[random.Next(2)],
            13 => $"CREATE TEMP TABLE temporary AS SELECT {id} AS a",
            14 => "SELECT * FROM temporary",
            15 => random.Next(4) == 0 ? "INSERT INTO log VALUES ('back')" : "INSERT INTO log VALUES (last_insert_rowid())",
            16 => $"INSERT INTO t (id, v) VALUES ({id}, {other}) ON CONFLICT (id) DO UPDATE SET n = coalesce(n, 0) + 1",
            _ => $"PRAGMA user_version = {id}",
        };
    }

    private static string Describe(MemberOutcome member) => member.Error switch
    {
        null => string.Join(" ; ", member.Results.Select(result =>
            $"{Show(result)} changes {result.Meta.Changes} row {result.Meta.LastRowId} changed {result.Meta.ChangedDb}")) + $" wrote {member.Wrote}",
        RequestException error => $"{error.Error.Code} at {error.Error.StatementIndex}/{error.Error.SqlOffset}: {error.Message}",
        var error => error.GetType().Name,
    };

    private static string Text(SqlRequest request) => string.Join(" | ", request.Statements.Select(statement => statement.Sql));
}
