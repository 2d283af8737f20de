using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

internal enum WriteResult
{
    /// <summary>It is done.</summary>
    Done,

    /// <summary>It failed, with nothing done: the row was there already.</summary>
    RowExists,

    /// <summary>Nothing was done; it may be sent again, elsewhere.</summary>
    TryAgain,

    /// <summary>It may have been done.</summary>
    Unknown,
}

internal sealed record WriteAnswer(WriteResult Result, Position At, int LastWrite = 0, int RowWrite = 0);

/// <summary>A write at a node, and the way back to its client.</summary>
/// <param name="isInsert">It fails if the row has a value.</param>
internal sealed class WaitingWrite(int number, int row, int key, bool isInsert, Bookmark bookmark, Action<WriteAnswer> reply)
{
    public int Number => number;

    public int Row => row;

    public int Key => key;

    public bool IsInsert => isInsert;

    public Bookmark Bookmark => bookmark;

    public void Answer(WriteAnswer answer) => reply(answer);
}
