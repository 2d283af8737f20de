using System.Globalization;
using System.Text;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>SQL that nobody would write: statements of the corpus cut, joined, repeated and damaged, and shapes that break parsers.</summary>
internal sealed class ScriptMaker(Random random, IReadOnlyList<string> corpus)
{
    private static readonly string[] _odd =
    [
        "'", "\"", "`", "[", "]", "--", "/*", "*/", ";", ";;;", "\0", "\uFEFF", "\u202E", "\u0000", "\u00A0", "\u3000", "\uFFFF", "é", "😀", "ı", "x'", "0x", "1e", "1e999", "9223372036854775808",
        "?", "?0", "?1", "?999999999", ":", "@", "$", "::", "(", ")", "((", ",", ".", "..", "NULL", "rowid", "_rs_requests", "sqlite_schema", "sqlite_sequence", "temp.", "main.", "BEGIN", "COMMIT",
        "ROLLBACK", "SAVEPOINT s", "RELEASE s", "VACUUM", "ATTACH ':memory:' AS a", "PRAGMA journal_mode=DELETE", "PRAGMA writable_schema=1", "PRAGMA foreign_keys=0", "EXPLAIN", "RETURNING *", "OR ROLLBACK",
        "RAISE(ROLLBACK, 'x')", "ANALYZE", "REINDEX", "load_extension('x')", "randomblob(1000000000)", "zeroblob(-1)", "printf('%.*c', 100000000, 'x')", "char(0)", "WITHOUT ROWID", "STRICT",
    ];

    private static readonly string[] _statements =
    [
        "SELECT 1", "SELECT * FROM f", "INSERT INTO f (a, b) VALUES (1, 'x')", "UPDATE f SET b = b || 'y' WHERE a < 3", "DELETE FROM f WHERE id > 20", "CREATE TABLE IF NOT EXISTS g (x, y)", "DROP TABLE IF EXISTS g",
        "ALTER TABLE f RENAME COLUMN b TO c", "CREATE TEMP TABLE h (z)", "CREATE INDEX IF NOT EXISTS i ON f (a)", "CREATE TRIGGER IF NOT EXISTS r AFTER INSERT ON f BEGIN UPDATE f SET a = a + 1 WHERE id = new.id; END", "DROP TRIGGER IF EXISTS r",
        "CREATE VIEW IF NOT EXISTS v AS SELECT a FROM f", "SELECT * FROM v, v AS w", "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT * FROM n", "SELECT json_each.value FROM json_each('[1,2')", "PRAGMA table_info(f)",
        "REPLACE INTO f (id, a) VALUES (1, NULL) RETURNING *",
        "CREATE VIRTUAL TABLE IF NOT EXISTS q USING fts5 (body)", "INSERT INTO q VALUES ('some words')", "SELECT * FROM q WHERE q MATCH '\"'", "DELETE FROM q WHERE q MATCH 'some' AND rowid % 2", "INSERT INTO q (q, rank) VALUES ('merge', -8)",
        "CREATE VIRTUAL TABLE IF NOT EXISTS s USING rtree (id, low, high)", "INSERT INTO s VALUES (NULL, 1, 2)", "UPDATE s SET high = high + 1 WHERE low < 2", "DELETE FROM s WHERE id % 3 = 0",
    ];

    public string Next() => random.Next(14) switch
    {
        0 => new string('(', random.Next(1, 5000)) + "1" + new string(')', random.Next(1, 5000)),
        1 => "SELECT " + string.Concat(Enumerable.Repeat("(SELECT ", random.Next(1, 300))) + "1" + new string(')', random.Next(1, 300)),
        2 => $"SELECT 1 WHERE 1 IN ({string.Join(',', Enumerable.Range(0, random.Next(20_000)))})",
        3 => string.Join("; ", Enumerable.Repeat(Pick(_statements), random.Next(1, 2000))),
        4 => string.Concat(Enumerable.Repeat(";", random.Next(1, 5000))),
        5 => "SELECT " + string.Join(random.Next(2) == 0 ? " || " : " + ", Enumerable.Repeat("?", random.Next(1, 3000))),
        6 => "SELECT " + string.Join(',', Enumerable.Range(0, random.Next(1, 3000)).Select(i => $"{i} AS c{i % 7}")),
        7 => string.Join(" UNION ALL ", Enumerable.Repeat("SELECT 1", random.Next(1, 800))),
        8 => Noise(random.Next(1, 200)),
        9 => Join(),
        _ => Mutate(random.Next(3) == 0 ? Join() : Pick(random.Next(2) == 0 ? _statements : corpus)),
    };

    private string Join() => string.Join(random.Next(4) == 0 ? " ; ;\n" : ";", Enumerable.Range(0, random.Next(1, 8)).Select(_ => Pick(random.Next(2) == 0 ? _statements : corpus)));

    private string Mutate(string sql)
    {
        var text = new StringBuilder(sql);
        for (var i = random.Next(1, 6); i > 0; i--)
        {
            var at = random.Next(text.Length + 1);
            switch (random.Next(5))
            {
                case 0:
                    text.Remove(at, random.Next(Math.Min(12, text.Length - at) + 1));
                    break;
                case 1:
                    text.Insert(at, Pick(_odd));
                    break;
                case 2:
                    text.Insert(at, " " + Pick(_odd) + " ");
                    break;
                case 3:
                    text.Length = at; // in the middle of a string or a comment, perhaps
                    break;
                default:
                    text.Insert(at, text.ToString(at, Math.Min(text.Length - at, random.Next(40))));
                    break;
            }
        }

        return text.ToString();
    }

    private string Noise(int length)
    {
        var text = new StringBuilder();
        for (var i = 0; i < length; i++)
        {
            text.Append(random.Next(3) switch
            {
                0 => Pick(_odd),
                1 => ((char)random.Next(32, 127)).ToString(CultureInfo.InvariantCulture),
                _ => char.ConvertFromUtf32(random.Next(0x20, 0xD800)),
            });
        }

        return text.ToString();
    }

    private string Pick(IReadOnlyList<string> from) => from[random.Next(from.Count)];
}
