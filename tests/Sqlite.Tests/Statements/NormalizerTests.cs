using System.Runtime.InteropServices;
using System.Text;

namespace ReplicatedSqlite.Sqlite.Tests;

public sealed class NormalizerTests
{
    private static readonly string[] _statements =
    [
        "SELECT 1", "select  A, b FROM T /* c */ where x = 'it''s' -- end\n and y=0x1F AND z=1.5e-3 or w=.5", "INSERT INTO t(a,b,c,x) VALUES(?1, :name, @x, $y)", "SELECT x'00ff', NULL, a IS NULL, a IS NOT NULL FROM t",
        "SELECT * FROM t WHERE a IN (1,2, 3) AND b IN ('x') AND c IN (SELECT a FROM t WHERE b IN (4,5))", "UPDATE t SET a=a+1 WHERE b BETWEEN 1 AND 2 ;", "SELECT [a b], `order` FROM t",
        "SELECT a->>'$.x', a||'b', a<>1, a!=2, a<=3, a>>1, a==1 FROM t", "DELETE FROM t WHERE a LIKE '%x%' ESCAPE '\\'", "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c",
        "SELECT CASE a WHEN 1 THEN 'x' ELSE 2 END, cast(a AS TEXT), count(DISTINCT b) FROM t GROUP BY 1 ORDER BY 2 DESC LIMIT 10 OFFSET 5", "SELECT 'Ünïcode', a AS Größe FROM t", "SELECT -1, +2, (3)",
    ];

    [Fact]
    public void It_is_the_text_that_sqlite_makes()
    {
        var folder = Directory.CreateTempSubdirectory("rs-normalizer-").FullName;
        using var connection = SqliteConnection.Open(Path.Combine(folder, "t.db"), create: true);
        connection.Execute("CREATE TABLE t(a, b, c, x, y, z, w, [a b], [order])");
        Assert.All(_statements, sql => Assert.Equal(BySqlite(connection, sql), SqlNormalizer.Normalize(sql)));
        connection.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("SELECT a FROM t WHERE a = \"secret\"", "SELECT a FROM t WHERE a=?;")]
    [InlineData("INSERT INTO \"Order Items\" (\"Id\", \"Note\") VALUES (\"secret\", 'x')", "INSERT INTO\"order items\"(id,note)VALUES(?,?);")]
    [InlineData("SELECT \"o\".\"Id\" FROM \"Orders\" AS \"o\" WHERE \"o\".\"Id\" IN (\"secret\")", "SELECT o.id FROM orders AS o WHERE o.id IN(?,?,?);")]
    [InlineData("UPDATE \"t\" SET \"a\" = \"secret\"", "UPDATE t SET a=?;")]
    [InlineData("SELECT 'never ended", "SELECT?;")]
    [InlineData("SELECT \"never ended", "SELECT?;")]
    [InlineData("PRAGMA x = /* secret", "PRAGMA x=;")]
    [InlineData("nonsense 'secret' 12 nonsense", "nonsense??nonsense;")]
    [InlineData("", "")]
    public void What_might_be_a_text_is_not_shown(string sql, string expected) => Assert.Equal(expected, SqlNormalizer.Normalize(sql));

    [Fact]
    public void A_long_text_is_cut_between_characters()
    {
        var cut = SqlNormalizer.Normalize("SELECT " + string.Join(", ", Enumerable.Range(0, 5000).Select(i => $"größe{i}")));
        Assert.InRange(Encoding.UTF8.GetByteCount(cut), SqlNormalizer.MaxBytes - 10, SqlNormalizer.MaxBytes);
        Assert.EndsWith("…", cut, StringComparison.Ordinal);
        Assert.DoesNotContain('\ufffd', cut);
    }

    [Fact]
    public void No_value_of_random_texts_is_ever_shown() => Seeded.Run(random =>
    {
        string[] pieces = ["SELECT ", "FROM t ", "WHERE ", "a", "=", "'SECRET'", "X'5EC0'", "(", ")", ",", "IN ", "\"SECRET\" ", "/* SECRET */", "-- SECRET\n", "VALUES", "INTO t", ".", " 12345678", " :p", "NULL ", "AS ", "'it''SECRET'", "`a` ", "[b] "];
        for (var i = 0; i < 20_000; i++)
        {
            var sql = string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(_ => pieces[random.Next(pieces.Length)]));
            var shown = SqlNormalizer.Normalize(sql);
            Assert.False(shown.Contains('\'', StringComparison.Ordinal) || shown.Contains("12345678", StringComparison.Ordinal) || shown.Contains("/*", StringComparison.Ordinal) || shown.Contains(":p", StringComparison.Ordinal), $"{sql} is shown as {shown}");
        }
    });

    private static string BySqlite(SqliteConnection connection, string sql)
    {
        var library = NativeLibrary.Load(Path.Combine(AppContext.BaseDirectory, "libe_sqlite3.so")); // the one that is loaded already
        var normalized = Marshal.GetDelegateForFunctionPointer<NormalizedSql>(NativeLibrary.GetExport(library, "sqlite3_normalized_sql"));
        using var statement = connection.Prepare(sql);
        return Marshal.PtrToStringUTF8(normalized(statement.Handle))!;
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate nint NormalizedSql(nint statement);
}
