using Google.Protobuf;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Client.Tests;

/// <summary>Builds answers in the contract's form.</summary>
internal static class Answer
{
    public static Bookmark Bookmark(ulong sequence, uint epoch = 1) => new(epoch, sequence, 0xabcdef0100000000 + sequence);

    public static ExecuteResponse Empty(ulong sequence = 1) => new() { Bookmark = Bookmark(sequence).ToString(), Results = { new Result() } };

    /// <summary>An answer with one result.</summary>
    public static ExecuteResponse With(Result result, ulong sequence = 1) => new() { Bookmark = Bookmark(sequence).ToString(), Results = { result } };

    /// <summary>A result from rows of null, long, double, string, byte[] and <see cref="BadText"/>.</summary>
    public static Result Table(string[] columns, params object?[][] rows)
    {
        var result = new Result { Rows = Batch(columns.Length, rows), Meta = new Meta() };
        foreach (var column in columns) result.Columns.Add(new ColumnInfo { Name = column });
        return result;
    }

    public static RowBatch Batch(int columns, params object?[][] rows)
    {
        var batch = new RowBatch { RowCount = (uint)rows.Length };
        for (var i = 0; i < columns; i++)
        {
            var data = new ColumnData();
            data.Types_ = ByteString.CopyFrom([.. rows.Select(row => Add(data, row[i]))]);
            batch.Columns.Add(data);
        }

        return batch;
    }

    public static StreamResponse Header(uint statement, string[] columns, string bookmark = "")
    {
        var header = new ResultHeader { Bookmark = bookmark };
        foreach (var column in columns) header.Columns.Add(new ColumnInfo { Name = column });
        return new StreamResponse { Result = new ResultPart { StatementIndex = statement, Header = header } };
    }

    public static StreamResponse Rows(uint statement, RowBatch rows) => new() { Result = new ResultPart { StatementIndex = statement, Rows = rows } };

    public static StreamResponse End(uint statement) => new() { Result = new ResultPart { StatementIndex = statement, End = new Meta() } };

    public static StreamResponse Done(ulong sequence) => new() { Done = new Done { Bookmark = Bookmark(sequence).ToString() } };

    /// <summary>The messages of a stream for one result.</summary>
    public static IEnumerable<StreamResponse> Stream(Result result, ulong sequence = 1)
    {
        yield return Header(0, [.. result.Columns.Select(column => column.Name)]);
        if (result.Rows is not null) yield return Rows(0, result.Rows);
        yield return End(0);
        yield return Done(sequence);
    }

    private static byte Add(ColumnData data, object? value)
    {
        switch (value)
        {
            case long v:
                data.Integers.Add(v);
                return 1;
            case double v:
                data.Reals.Add(v);
                return 2;
            case string v:
                data.Texts.Add(v);
                return 3;
            case byte[] v:
                data.Blobs.Add(ByteString.CopyFrom(v));
                return 4;
            case BadText v:
                data.Blobs.Add(ByteString.CopyFrom(v.Bytes));
                return 5;
            default:
                return 0;
        }
    }
}

/// <summary>Text that is not valid UTF-8.</summary>
internal sealed record BadText(byte[] Bytes);
