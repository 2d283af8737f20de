using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>Turns a stream's messages into parts and checks that they come in order. One per stream.</summary>
internal sealed class StreamReader(bool mayHaveWritten)
{
    private ResultColumns? _columns; // of the statement whose rows may come now
    private int _statement = -1;

    /// <summary>Set by the last part: without it the answer is cut short.</summary>
    public bool IsComplete { get; private set; }

    public StreamPart Read(StreamResponse message) => IsComplete ? throw Damaged("it goes on after its end") : message.PartCase switch
    {
        StreamResponse.PartOneofCase.Result => Read(message.Result),
        StreamResponse.PartOneofCase.Done => Finish(message.Done),
        _ => throw Damaged("a message of the stream is empty"),
    };

    public ReplicatedSqliteException CutShort() => Damaged("the stream ended before its last part");

    private StreamPart Read(ResultPart part)
    {
        var statement = checked((int)part.StatementIndex);
        switch (part.PartCase)
        {
            case ResultPart.PartOneofCase.Header:
                if (_columns is not null || statement <= _statement) throw Damaged($"the result of statement {statement} begins out of order");
                _statement = statement;
                _columns = new ResultColumns(part.Header.Columns);
                return new ResultStart(statement, _columns, part.Header.Bookmark.Length == 0 ? null : ServerBookmark.Parse(part.Header.Bookmark, mayHaveWritten));
            case ResultPart.PartOneofCase.Rows:
                return new ResultRows(statement, new Rows(RowBlock.Create(Expect(statement), part.Rows, mayHaveWritten)));
            case ResultPart.PartOneofCase.End:
                Expect(statement);
                _columns = null;
                return new ResultEnd(statement, StatementMeta.From(part.End));
            default:
                throw Damaged("a part of a result is empty");
        }
    }

    private StreamDone Finish(Done done)
    {
        if (_columns is not null) throw Damaged($"it ends within the result of statement {_statement}");
        IsComplete = true;
        return new StreamDone(ServerBookmark.Parse(done.Bookmark, mayHaveWritten), ServedBy.From(done.Served), done.Replayed);
    }

    private ResultColumns Expect(int statement) =>
        _columns is not null && statement == _statement ? _columns : throw Damaged($"rows of statement {statement} come without their header");

    private ReplicatedSqliteException Damaged(string what) => DamagedAnswer.Create(what, mayHaveWritten);
}
