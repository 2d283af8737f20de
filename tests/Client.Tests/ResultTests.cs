using Google.Protobuf;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Client.Tests;

public sealed class ResultTests
{
    [Fact]
    public async Task Every_kind_of_value_is_decoded_with_its_place()
    {
        var result = await QueryAsync(Answer.Table(
            ["a", "b"],
            [1L, "x"],
            [null, new byte[] { 1, 2 }],
            [2.5, "y"],
            [new BadText([0xff]), new byte[] { 3 }],
            [long.MinValue, null],
            [new byte[] { 9 }, "z"]));
        Assert.Equal(
            [1L, null, 2.5, new byte[] { 0xff }, long.MinValue, new byte[] { 9 }],
            result.Rows.Select(row => row["a"]));
        Assert.Equal(["x", new byte[] { 1, 2 }, "y", new byte[] { 3 }, null, "z"], result.Rows.Select(row => row[1]));
        Assert.Equal(SqlKind.InvalidText, result.Rows[3].Kind(0));
        Assert.Equal(["a", "b"], result.Columns.Select(column => column.Name));
    }

    [Fact]
    public void Random_batches_come_back_as_they_were() => Seeds.ForEach(usual: 10, full: 500, seed =>
    {
        var random = new Random(seed);
        for (var round = 0; round < 20; round++)
        {
            var columns = random.Next(1, 5);
            var rows = new object?[random.Next(0, 30)][];
            for (var i = 0; i < rows.Length; i++) rows[i] = [.. Enumerable.Range(0, columns).Select(_ => RandomValue(random))];
            var decoded = ResultSet.Decode(Answer.Table([.. Enumerable.Range(0, columns).Select(i => "c" + i)], rows));
            Assert.Equal(rows.Length, decoded.Rows.Count);
            for (var i = 0; i < rows.Length; i++)
                Assert.True(rows[i].SequenceEqual(decoded.Rows[i].ToArray(), ByContent.Instance), $"round {round}, row {i}");
        }
    });

    [Fact]
    public void Typed_getters_refuse_what_they_are_not_for()
    {
        var row = ResultSet.Decode(Answer.Table(["i", "r", "t", "b", "n"], [5L, 1.5, "x", new byte[] { 1 }, null])).Rows[0];
        Assert.Equal(5, row.GetInt64(0));
        Assert.Equal(5.0, row.GetDouble(0));
        Assert.Equal(1.5, row.Get<double>(1));
        Assert.Equal("x", row.GetString(2));
        Assert.Equal([1], row.GetBytes(3).ToArray());
        Assert.Null(row.Get<long?>(4));
        Assert.Null(row.Get<string>(4));
        Assert.Equal(5, row.Get<int?>(0));
        Assert.Contains("'t' holds Text", Assert.Throws<InvalidCastException>(() => row.GetInt64(2)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidCastException>(() => row.GetInt64(1));
        Assert.Throws<InvalidCastException>(() => row.Get<long>(4));
        Assert.Throws<ArgumentOutOfRangeException>(() => row.IsNull(5));
        Assert.Throws<ArgumentException>(() => row["missing"]);
    }

    [Fact]
    public async Task Meta_and_served_are_there()
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        server.OnExecute = (_, _) => new(new ExecuteResponse
        {
            Bookmark = Answer.Bookmark(2).ToString(),
            Replayed = true,
            Served = new Served { By = "n1", Region = "apac", Primary = true, WaitMs = 12.5, TotalAttempts = 2 },
            Results = { new Result { Meta = new Meta { Changes = 3, LastRowId = 8, ChangedDb = true, RowsRead = 0 } } },
        });
        var response = await client.Database("shop").ExecuteAsync("UPDATE t SET x = 1");
        Assert.Equal(new ServedBy("n1", "apac", true, TimeSpan.FromMilliseconds(12.5), default, default, 2), response.Served);
        Assert.Equal((3, 8, true), (response.Changes, response.LastRowId, response.Replayed));
        Assert.Equal((0L, null), (response.First.Meta.RowsRead, response.First.Meta.RowsWritten));
    }

    [Fact]
    public void A_damaged_batch_is_an_error_that_says_what_is_wrong()
    {
        foreach (var (damage, text) in new (Action<RowBatch>, string)[]
        {
            (b => b.RowCount = 3, "2 types for 3 rows"),
            (b => b.Columns[0].Types_ = ByteString.CopyFrom(1, 6), "type 6"),
            (b => b.Columns[0].Integers.Clear(), "other numbers of values"),
            (b => b.Columns.RemoveAt(1), "a batch has 1 columns, its result 2"),
        })
        {
            var result = Answer.Table(["a", "b"], [1L, "x"], [2L, "y"]);
            damage(result.Rows);
            Assert.Contains(text, Assert.Throws<ReplicatedSqliteException>(() => ResultSet.Decode(result)).Message, StringComparison.Ordinal);
        }
    }

    private static async Task<ResultSet> QueryAsync(Result result)
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        server.OnExecute = (_, _) => new(Answer.With(result));
        return await client.Database("shop").QueryAsync("SELECT a, b FROM t");
    }

    private static object? RandomValue(Random random) => random.Next(5) switch
    {
        0 => null,
        1 => random.NextInt64(),
        2 => random.NextDouble(),
        3 => "t" + random.Next(),
        _ => BitConverter.GetBytes(random.Next()),
    };

    private sealed class ByContent : IEqualityComparer<object?>
    {
        public static readonly ByContent Instance = new();

        bool IEqualityComparer<object?>.Equals(object? x, object? y) => x is byte[] a && y is byte[] b ? a.AsSpan().SequenceEqual(b) : Equals(x, y);

        public int GetHashCode(object? obj) => 0;
    }
}
