using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>Puts the parts of a streamed answer together into whole results.</summary>
internal sealed class ResultAssembler(bool firstRowsOnly = false)
{
    private readonly ExecuteResponse _response = new();
    private Result? _current;

    public ExecuteResponse Response => _response;

    public void Add(ResultPart part)
    {
        switch (part.PartCase)
        {
            case ResultPart.PartOneofCase.Header:
                _response.Results.Add(_current = new Result { Columns = { part.Header.Columns } });
                break;
            case ResultPart.PartOneofCase.Rows when _current is not null:
                Append(_current.Rows ??= new RowBatch(), part.Rows);
                break;
            case ResultPart.PartOneofCase.End when _current is not null:
                _current.Meta = part.End;
                _current = null;
                break;
            default:
                throw DamagedAnswer.Create("a part of a result comes out of order", mayHaveWritten: false);
        }
    }

    // Rows are stored by column, and each column's values by type: the k-th of a type stays the k-th when another batch is put behind.
    private void Append(RowBatch all, RowBatch more)
    {
        if (firstRowsOnly && all.RowCount > 0) return;
        if (all.RowCount == 0)
        {
            all.MergeFrom(more);
            return;
        }

        if (all.Columns.Count != more.Columns.Count) throw DamagedAnswer.Create("the batches of a result differ in their columns", mayHaveWritten: false);
        all.RowCount += more.RowCount;
        for (var i = 0; i < more.Columns.Count; i++)
        {
            var column = all.Columns[i];
            column.Types_ = Google.Protobuf.ByteString.CopyFrom([.. column.Types_.Span, .. more.Columns[i].Types_.Span]);
            column.Integers.Add(more.Columns[i].Integers);
            column.Reals.Add(more.Columns[i].Reals);
            column.Texts.Add(more.Columns[i].Texts);
            column.Blobs.Add(more.Columns[i].Blobs);
        }
    }
}
