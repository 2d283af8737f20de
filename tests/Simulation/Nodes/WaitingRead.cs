using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>What a read found.</summary>
internal sealed record ReadAnswer(int LastWrite, int RowWrite, Position At);

/// <summary>A read at a node, and the way back to its client. <see langword="null"/>: try again.</summary>
internal sealed class WaitingRead(int row, Bookmark bookmark, bool isFirstPrimary, Action<ReadAnswer?> reply)
{
    /// <summary>Microseconds that a read waits for its bookmark.</summary>
    public const long Limit = 1_000_000;

    public int Row => row;

    public Bookmark Bookmark => bookmark;

    public bool IsFirstPrimary => isFirstPrimary;

    public void Answer(int lastWrite, int rowWrite, Position at) => reply(new(lastWrite, rowWrite, at));

    public void Refuse() => reply(null);
}
