using System.Globalization;
using Google.Protobuf;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>An answer such as applications get: rows of a table of orders, of about a given size.</summary>
internal static class RowsAnswer
{
    public static readonly IReadOnlyList<int> Sizes = [1024, 4 * 1024, 16 * 1024, 64 * 1024];

    private static readonly string[] _states = ["open", "paid", "shipped", "returned"];
    private static readonly string[] _words = ["red", "blue", "small", "large", "cotton", "wool", "shirt", "shoe", "lamp", "table", "glass", "paper"];

    /// <summary>As many rows as fit. The same each time.</summary>
    public static ExecuteResponse Create(int bytes)
    {
        var random = new Random(1);
        var columns = Enumerable.Range(0, 5).Select(_ => new ColumnData()).ToArray();
        var batch = new RowBatch { Columns = { columns } };
        var types = new byte[] { 1, 3, 3, 2, 3 };
        var answer = new ExecuteResponse { Results = { new Result { Rows = batch, Meta = new Meta { SqlDurationMs = 0.2, RowsRead = 100 } } }, Bookmark = "00000001-0000000000000010-0123456789abcdef" };
        while (answer.CalculateSize() < bytes)
        {
            batch.RowCount++;
            for (var i = 0; i < columns.Length; i++)
            {
                columns[i].Types_ = ByteString.CopyFrom([.. columns[i].Types_.Span, types[i]]);
            }

            columns[0].Integers.Add(batch.RowCount * 7);
            columns[1].Texts.Add(string.Create(CultureInfo.InvariantCulture, $"customer-{random.Next(100_000)}@example.com"));
            columns[2].Texts.Add(_states[random.Next(_states.Length)]);
            columns[3].Reals.Add(random.Next(100_000) / 100.0);
            columns[4].Texts.Add(string.Join(' ', Enumerable.Range(0, random.Next(3, 9)).Select(_ => _words[random.Next(_words.Length)])));
        }

        return answer;
    }
}
