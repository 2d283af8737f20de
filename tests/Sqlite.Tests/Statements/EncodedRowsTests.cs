using ReplicatedSqlite.Protocol.V1;
using static ReplicatedSqlite.Sqlite.Tests.SqlBench;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>Rows that are encoded on their way out of SQLite are the bytes that the generated messages would have made of them.</summary>
public sealed class EncodedRowsTests
{
    private const int MostBatchBytes = 256 * 1024;

    [Fact]
    public void Random_rows_come_out_as_they_are_read_one_by_one() => Seeded.Run(random =>
    {
        for (var round = 0; round < (Seeded.IsFull ? 100 : 10); round++)
        {
            var columns = random.Next(1, 8);
            using var bench = new SqlBench($"CREATE TABLE t ({string.Join(',', Enumerable.Range(0, columns).Select(i => $"c{i}"))})");
            var rows = random.Next(0, 400);
            for (var row = 0; row < rows; row++)
            {
                bench.Write(Sql($"INSERT INTO t VALUES ({string.Join(',', Enumerable.Range(0, columns).Select(_ => Literal(random)))})"));
            }

            var request = new SqlRequest([new Statement { Sql = "SELECT * FROM t" }]) { BatchRows = random.Next(3) == 0 ? (uint)random.Next(1, 50) : 0 };
            Assert.Equal(Plain(bench, request), Encoded(bench, request));
        }
    });

    [Theory]
    [InlineData("SELECT zeroblob(3000000), 'x', zeroblob(200000) UNION ALL SELECT 1, 'y', NULL UNION ALL SELECT 2, printf('%.*c', 300000, 'z'), 3")]
    [InlineData("SELECT 1 WHERE 0")]
    [InlineData("SELECT -9223372036854775808, 9223372036854775807, 0, -1, 9e999, -9e999, '', x''")]
    [InlineData("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i, CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN i * 0.5 WHEN 2 THEN 'text ' || i WHEN 3 THEN CAST(x'ff00fe' AS TEXT) ELSE zeroblob(i % 50) END FROM n")]
    public void Borders_come_out_as_they_are_read_one_by_one(string sql)
    {
        using var bench = new SqlBench();
        Assert.Equal(Plain(bench, Sql(sql)), Encoded(bench, Sql(sql)));
    }

    private static List<string> Plain(SqlBench bench, SqlRequest request)
    {
        Assert.True(PreparedRead.TryPrepare(bench.Reader, request, null, out var read));
        using (read)
        {
            var rows = new List<string>();
            while (read!.MoveNext())
            {
                if (read.Current.Rows is { } batch)
                {
                    rows.AddRange(Shown(batch));
                }
            }

            return rows;
        }
    }

    private static List<string> Encoded(SqlBench bench, SqlRequest request)
    {
        Assert.True(PreparedRead.TryPrepare(bench.Reader, request, null, out var read));
        using (read)
        {
            var rows = new List<string>();
            while (read!.NextEncoded() is { } part)
            {
                if (part.PartCase == EncodedPart.PartOneofCase.Rows)
                {
                    var batch = RowBatch.Parser.ParseFrom(part.Rows);
                    Assert.Equal(part.Rows, Google.Protobuf.MessageExtensions.ToByteString(batch)); // byte for byte what the generated code writes
                    Assert.True(part.Rows.Length <= MostBatchBytes || batch.RowCount == 1, $"{batch.RowCount} rows take {part.Rows.Length} bytes.");
                    Assert.True(request.BatchRows == 0 || batch.RowCount <= request.BatchRows);
                    rows.AddRange(Shown(batch));
                }
            }

            return rows;
        }
    }

    private static IEnumerable<string> Shown(RowBatch batch)
    {
        var kinds = batch.Columns.Select(column => column.Types_).ToList();
        return RowsOf(batch).Select((row, r) => string.Join('|', row.Select((value, c) => $"{kinds[c][r]}:{value switch
        {
            Google.Protobuf.ByteString bytes => Convert.ToHexString(bytes.Span),
            double real => real.ToString("R", System.Globalization.CultureInfo.InvariantCulture),
            _ => value,
        }}")));
    }

    private static string Literal(Random random) => random.Next(8) switch
    {
        0 => "NULL",
        1 => random.NextInt64(long.MinValue, long.MaxValue).ToString(System.Globalization.CultureInfo.InvariantCulture),
        2 => random.Next(-200, 200).ToString(System.Globalization.CultureInfo.InvariantCulture),
        3 => (random.NextDouble() * 1e6).ToString("R", System.Globalization.CultureInfo.InvariantCulture),
        4 => $"'{new string((char)('a' + random.Next(26)), random.Next(300))}ü€😀'",
        5 => $"x'{Bytes(random, random.Next(40))}'",
        6 => $"CAST(x'{Bytes(random, random.Next(1, 20))}' AS TEXT)",
        _ => $"zeroblob({random.Next(5000)})",
    };

    private static string Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return Convert.ToHexString(bytes);
    }
}
