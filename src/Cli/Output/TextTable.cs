using Google.Protobuf;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cli;

/// <summary>Rows of text that did not come from SQL, written like those that did.</summary>
internal sealed class TextTable
{
    private readonly Result _result = new() { Rows = new RowBatch() };

    public TextTable(params ReadOnlySpan<string> columns)
    {
        foreach (var column in columns)
        {
            _result.Columns.Add(new ColumnInfo { Name = column });
            _result.Rows.Columns.Add(new ColumnData());
        }
    }

    public void Add(params ReadOnlySpan<string> row)
    {
        for (var i = 0; i < row.Length; i++) _result.Rows.Columns[i].Texts.Add(row[i]);
        _result.Rows.RowCount++;
    }

    public void Write(ResultWriter writer)
    {
        var types = new byte[_result.Rows.RowCount];
        Array.Fill(types, (byte)SqlKind.Text);
        foreach (var column in _result.Rows.Columns) column.Types_ = ByteString.CopyFrom(types);
        var decoded = ResultSet.Decode(_result);
        writer.WriteAll(decoded.Columns, decoded.Rows);
    }
}
