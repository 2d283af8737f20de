using Google.Protobuf;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cli;

/// <summary>Rows of text that did not come from SQL, written like those that did.</summary>
internal sealed class TextTable
{
    private readonly Result _result = new() { Rows = new RowBatch() };
    private readonly List<byte>[] _kinds; // by column

    public TextTable(params ReadOnlySpan<string> columns)
    {
        _kinds = new List<byte>[columns.Length];
        for (var i = 0; i < columns.Length; i++) _kinds[i] = [];
        foreach (var column in columns)
        {
            _result.Columns.Add(new ColumnInfo { Name = column });
            _result.Rows.Columns.Add(new ColumnData());
        }
    }

    /// <summary>A row, in which <see langword="null"/> is NULL.</summary>
    public void Add(params ReadOnlySpan<string?> row)
    {
        for (var i = 0; i < row.Length; i++)
        {
            _kinds[i].Add((byte)(row[i] is null ? SqlKind.Null : SqlKind.Text));
            if (row[i] is { } text) _result.Rows.Columns[i].Texts.Add(text);
        }

        _result.Rows.RowCount++;
    }

    public void Write(ResultWriter writer)
    {
        for (var i = 0; i < _kinds.Length; i++) _result.Rows.Columns[i].Types_ = ByteString.CopyFrom(_kinds[i].ToArray());
        var decoded = ResultSet.Decode(_result);
        writer.WriteAll(decoded.Columns, decoded.Rows);
    }
}
