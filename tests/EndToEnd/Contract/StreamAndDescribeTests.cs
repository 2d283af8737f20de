using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Stream with several results, of reads and of writes, equals Execute; Describe names origins and where the next statement starts.</summary>
public sealed class StreamAndDescribeTests(ContractCluster contract) : IClassFixture<ContractCluster>
{
    [Theory]
    [InlineData("SELECT x FROM t ORDER BY id|SELECT 5 AS five, NULL|SELECT id FROM t WHERE 0")]
    [InlineData("INSERT INTO plain (v) VALUES (1), (2), (3) RETURNING v|SELECT count(*) FROM words|DELETE FROM plain WHERE rowid > 1 RETURNING v")]
    [InlineData("UPDATE plain SET v = 1 WHERE rowid = 1|PRAGMA user_version|SELECT v FROM plain WHERE rowid = 1")]
    public async Task Several_results_come_in_order_and_are_those_of_Execute(string batch)
    {
        foreach (var (_, region, inSession) in ContractCluster.Places)
        {
            foreach (var isScript in (bool[])[false, true])
            {
                var request = new ExecuteRequest { Database = "d", Script = isScript, Read = new() { Session = inSession ? contract.Bookmark.ToString() : "" } };
                request.Statements.Add(isScript ? [new Statement { Sql = batch.Replace('|', ';') }] : batch.Split('|').Select(sql => new Statement { Sql = sql }));
                var executed = await contract.Cluster.Channel(region).CallAsync(QueryMethods.Execute, request);
                var stream = ContractCluster.Stream(request);
                stream.BatchRows = 2;
                var results = new List<Result>();
                var kinds = new List<string>();
                Done? done = null;
                await foreach (var part in contract.Cluster.Channel(region).OpenServerStream(QueryMethods.Stream, stream))
                {
                    Assert.Null(done); // it is the last
                    done = part.Done;
                    if (part.Result is { } result)
                    {
                        kinds.Add($"{result.StatementIndex}{result.PartCase}");
                        Add(results, result, isWrite: batch[0] != 'S');
                    }
                }

                Assert.True(Bookmark.Parse(done!.Bookmark) >= contract.Bookmark);
                Assert.Equal(executed.Served.Primary, done.Served.Primary);
                Assert.Equal(["0Header", "0End", "1Header", "1End", "2Header", "2End"], kinds.Where(kind => !kind.EndsWith("Rows", StringComparison.Ordinal)));
                Assert.Equal(executed.Results.Select(Comparable), results.Select(Comparable));
            }
        }
    }

    [Fact]
    public async Task Origins_flags_and_the_next_statement()
    {
        const string First = "SELECT x AS renamed, t.id, y + 1, s.word, 'ü' AS ü FROM t, words s WHERE x = ?2 AND y = @y AND 1 = ?;";
        foreach (var (_, region, inSession) in ContractCluster.Places)
        {
            var described = await DescribeAsync(First + " -- more\n DELETE FROM t", region, inSession);
            Assert.True(described.ReadOnly);
            Assert.Equal(
                ["renamed|TEXT|t|x|False|False", "id|INTEGER|t|id|False|True", "y + 1||||False|False", "word|TEXT|words|word|True|True", "ü||||False|False"],
                described.Columns.Select(c => $"{c.Name}|{c.DeclaredType}|{c.OriginTable}|{c.OriginColumn}|{c.NotNull}|{c.PrimaryKey}"));
            Assert.Equal(["", "?2", "@y", ""], described.Parameters);
            Assert.Equal(System.Text.Encoding.UTF8.GetByteCount(First), (int)described.TailOffset);

            var last = await DescribeAsync("SELECT id FROM full", region, inSession);
            Assert.Equal((uint)"SELECT id FROM full".Length, last.TailOffset);
            Assert.True(last.Columns[0].Autoincrement && last.Columns[0].PrimaryKey);
            foreach (var (sql, readOnly, columns) in new[] { ("DELETE FROM t", false, 0), ("INSERT INTO t (x) VALUES (?) RETURNING id, x", false, 2), ("VALUES (1, 2)", true, 2), ("PRAGMA table_info(t)", true, 6) })
            {
                described = await DescribeAsync(sql, region, inSession);
                Assert.Equal((sql, readOnly, columns), (sql, described.ReadOnly, described.Columns.Count));
            }
        }
    }

    private async Task<DescribeResponse> DescribeAsync(string sql, int region, bool inSession) => await contract.Cluster.Channel(region).CallAsync(
        QueryMethods.Describe, new DescribeRequest { Database = "d", Sql = sql, Read = new() { Session = inSession ? contract.Bookmark.ToString() : "" } });

    private static void Add(List<Result> results, ResultPart part, bool isWrite)
    {
        switch (part.PartCase)
        {
            case ResultPart.PartOneofCase.Header:
                Assert.Equal(results.Count, (int)part.StatementIndex);
                Assert.True(Bookmark.TryParse(part.Header.Bookmark, out _), $"The header of a {(isWrite ? "write" : "read")} has the bookmark '{part.Header.Bookmark}'.");
                results.Add(new Result { Columns = { part.Header.Columns }, Rows = new RowBatch() });
                break;
            case ResultPart.PartOneofCase.Rows:
                Assert.InRange(part.Rows.RowCount, 1u, 2u);
                results[^1].Rows.RowCount += part.Rows.RowCount;
                while (results[^1].Rows.Columns.Count < part.Rows.Columns.Count)
                {
                    results[^1].Rows.Columns.Add(new ColumnData());
                }

                for (var i = 0; i < part.Rows.Columns.Count; i++)
                {
                    var column = results[^1].Rows.Columns[i];
                    var types = column.Types_.Concat(part.Rows.Columns[i].Types_).ToArray();
                    column.MergeFrom(new ColumnData(part.Rows.Columns[i]));
                    column.Types_ = Google.Protobuf.ByteString.CopyFrom(types);
                }

                break;
            case ResultPart.PartOneofCase.End:
                results[^1].Meta = part.End;
                break;
        }
    }

    // Writes run twice, so what moves between the two is left out; a result without rows may have a batch of none.
    private static Result Comparable(Result result)
    {
        var copy = new Result(result);
        copy.Meta.SqlDurationMs = 0;
        copy.Meta.LastRowId = 0;
        copy.Rows = copy.Rows is { RowCount: > 0 } ? copy.Rows : null;
        return copy;
    }
}
