using ReplicatedSqlite.Protocol;
using static ReplicatedSqlite.Sqlite.Tests.SqlBench;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>
/// Groups that write full-text and R-Tree tables, which hold rows in memory until a savepoint or the commit: members fail, roll back and are
/// interrupted anywhere, also inside the tables' own statements, and index and rows stay equal.
/// </summary>
public sealed class VirtualTableGroupTests
{
    // Small pages and eager merges, so that few rows make all of it happen. 'm' gets what 'q' gets.
    private const string Schema = """
        CREATE VIRTUAL TABLE q USING fts5 (body);
        CREATE VIRTUAL TABLE x USING fts5 (body, content='m', content_rowid='id', detail=column);
        CREATE VIRTUAL TABLE r USING rtree (id, low, high);
        CREATE TABLE m (id INTEGER PRIMARY KEY, body);
        CREATE TABLE ran (member INTEGER PRIMARY KEY);
        CREATE TRIGGER added AFTER INSERT ON m BEGIN INSERT INTO x (rowid, body) VALUES (new.id, new.body); INSERT INTO r VALUES (new.id, new.id, new.id + 1); END;
        CREATE TRIGGER gone AFTER DELETE ON m BEGIN INSERT INTO x (x, rowid, body) VALUES ('delete', old.id, old.body); DELETE FROM r WHERE id = old.id; END;
        INSERT INTO q (q, rank) VALUES ('pgsz', 64), ('automerge', 2), ('crisismerge', 3), ('hashsize', 200);
        INSERT INTO x (x, rank) VALUES ('pgsz', 64), ('secure-delete', 1)
        """;

    private static readonly string[] _words = ["some", "words", "and", "more", "of", "them", "a-much-longer-word-than-the-others", "über"];

    [Fact]
    public void Index_and_rows_stay_equal_whatever_happens_to_the_members() => Seeded.Run(random =>
    {
        var time = new EndingTime();
        using var bench = new SqlBench(Schema, new QueryConnectionOptions { Time = time });
        bench.WriterConnection.LookEvery(random.Next(1, 60));
        var (done, stopped) = (0, 0);
        for (var round = 0; round < (Seeded.IsFull ? 2000 : 60); round++)
        {
            time.LooksLeft = random.Next(2) == 0 ? int.MaxValue : random.Next(1, random.Next(2) == 0 ? 400 : 20_000);
            var members = bench.Group([.. Enumerable.Range(0, random.Next(1, 8)).Select(i => Member(random, (round * 10) + i))]);
            time.LooksLeft = int.MaxValue;
            var ran = Enumerable.Range(0, members.Count).Where(i => members[i].Error == null).Select(i => (round * 10) + i);
            Assert.Equal(string.Join(' ', ran), bench.Rows($"SELECT member FROM ran WHERE member >= {round * 10} ORDER BY 1"));
            done += ran.Count();
            stopped += members.Count(member => member.Error is RequestException { Error.Code: ErrorCodes.StatementTimeout });
            Assert.DoesNotContain(members, member => (member.Error?.Message ?? "").Contains("malformed", StringComparison.Ordinal)); // what a broken index answers
            using var fresh = SqliteConnection.Open(bench.Path, readOnly: true);
            Assert.Equal("ok", fresh.QueryText("PRAGMA integrity_check"));
            Assert.Equal("ok", bench.Rows("PRAGMA integrity_check"));
            Assert.Equal(0, fresh.QueryInteger("SELECT (SELECT count(*) FROM (SELECT rowid, body FROM q EXCEPT SELECT id, body FROM m)) + (SELECT count(*) FROM (SELECT id, body FROM m EXCEPT SELECT rowid, body FROM q))"));
            Assert.Equal(0, fresh.QueryInteger("SELECT count(*) FROM (SELECT id FROM m EXCEPT SELECT id FROM r)"));
            foreach (var table in (string[])["q", "x"])
            {
                Assert.Equal(fresh.QueryInteger("SELECT count(*) FROM m WHERE body LIKE '%words%'"), fresh.QueryInteger($"SELECT count(*) FROM {table} WHERE {table} MATCH 'words'"));
            }
        }

        bench.Write(Sql("INSERT INTO x (x, rank) VALUES ('integrity-check', 1)", "INSERT INTO q (q) VALUES ('integrity-check')"));
        Assert.True(done > 10 && stopped > 5, $"{done} members wrote and {stopped} were stopped: it tried too little.");
    });

    private static SqlRequest Member(Random random, int number)
    {
        var statements = Enumerable.Range(0, random.Next(1, 8)).SelectMany(_ => Statements(random)).Prepend($"INSERT INTO ran VALUES ({number})").Select(sql => With(sql)).ToArray();
        return new SqlRequest(statements) { Timeout = TimeSpan.FromSeconds(1) };
    }

    private static string[] Statements(Random random)
    {
        var id = random.Next(1, 900);
        var body = string.Join(' ', Enumerable.Range(0, random.Next(1, 12)).Select(_ => _words[random.Next(_words.Length)]));
        return random.Next(16) switch
        {
            < 7 => [$"INSERT INTO m VALUES ({id}, '{body}')", $"INSERT INTO q (rowid, body) VALUES ({id}, '{body}')"],
            7 => [$"INSERT OR {(random.Next(2) == 0 ? "IGNORE" : "ROLLBACK")} INTO q (rowid, body) SELECT id, body FROM m", "DELETE FROM q WHERE rowid NOT IN (SELECT id FROM m)"],
            8 => [$"DELETE FROM m WHERE id % 7 = {random.Next(7)}", "DELETE FROM q WHERE rowid NOT IN (SELECT id FROM m)"],
            9 => [$"DELETE FROM m WHERE id = {id}", $"INSERT INTO m VALUES ({id}, '{body}')", $"REPLACE INTO q (rowid, body) VALUES ({id}, '{body}')"],
            10 => [$"WITH RECURSIVE n (i) AS (VALUES ({random.Next(1000, 1100)}) UNION ALL SELECT i + 1 FROM n WHERE i < 1300) INSERT INTO m SELECT i, '{body}' FROM n", "INSERT INTO q (rowid, body) SELECT id, body FROM m WHERE id >= 1000", "DELETE FROM q WHERE rowid >= 1000", "DELETE FROM m WHERE id >= 1000"],
            11 => ["INSERT INTO q (q) VALUES ('optimize')"],
            12 => ["INSERT INTO q (q, rank) VALUES ('merge', -16)", "INSERT INTO x (x, rank) VALUES ('merge', 8)"],
            13 => [random.Next(2) == 0 ? "INSERT INTO q (q) VALUES ('rebuild')" : "INSERT INTO x (x) VALUES ('rebuild')"],
            14 => ["SELECT count(*) FROM q WHERE q MATCH 'words OR mo*'", "SELECT rowid, highlight(x, 0, '<', '>') FROM x WHERE x MATCH 'some' ORDER BY rank LIMIT 3"],
            _ => [random.Next(3) == 0 ? $"INSERT INTO q_data VALUES ({id}, x'00')" : "SELECT integrity_check FROM pragma_integrity_check"],
        };
    }

    /// <summary>A clock that stands still for a number of looks and then is past every limit.</summary>
    private sealed class EndingTime : TimeProvider
    {
        public int LooksLeft { get; set; } = int.MaxValue;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => LooksLeft == int.MaxValue || --LooksLeft > 0 ? 0 : TimeSpan.TicksPerHour;
    }
}
