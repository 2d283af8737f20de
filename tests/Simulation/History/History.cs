using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>Everything that was seen from outside of one story, and what an all-knowing observer noted. The checkers judge it; nothing in the story reads it.</summary>
internal sealed class History
{
    public List<WriteOperation> Writes { get; } = [];

    public List<ReadOperation> Reads { get; } = [];

    /// <summary>Entries in the order in which some leadership called them confirmed; each leadership may name an entry again.</summary>
    public List<ConfirmedEntry> Confirmed { get; } = [];

    public List<MarkMoved> Marks { get; } = [];

    public List<PromiseOnDisk> Promises { get; } = [];

    public List<EntryOnDisk> OnDisk { get; } = [];

    /// <summary>Bookmarks that a copy called abandoned.</summary>
    public List<AbandonedBookmark> Abandoned { get; } = [];

    /// <summary>Copies and followers that stopped because what they held contradicts what they were told.</summary>
    public List<Contradiction> Contradictions { get; } = [];

    /// <summary>What readers of a copy were shown, page by page, at some position.</summary>
    public List<CopyImage> Images { get; } = [];

    /// <summary>The copies and logs as they stood at the end, after everything was whole again.</summary>
    public List<FinalCopy> Finals { get; } = [];

    public Healing Healing { get; set; } = Healing.NotReached;
}

/// <summary>How an operation ended, as its client knows it.</summary>
internal enum Outcome
{
    Unknown,
    Answered,
    NothingDone,
}

/// <summary>A client's write. Its number is the value that it writes.</summary>
internal sealed class WriteOperation
{
    public required int Number { get; init; }

    public required int Session { get; init; }

    /// <summary>Its place among all operations of its session.</summary>
    public required int Turn { get; init; }

    public required int Row { get; init; }

    /// <summary>The idempotency key, under which it may be sent again; -1 without one.</summary>
    public int Key { get; init; } = -1;

    public long Begun { get; init; }

    public long Ended { get; set; } = long.MaxValue;

    public Outcome Outcome { get; set; }

    /// <summary>How often it was sent with an unknown outcome.</summary>
    public int Attempts { get; set; }

    /// <summary>The bookmark's position, when answered.</summary>
    public Position At { get; set; }
}

/// <summary>A client's read, or a write that failed because of what it read: both tell what the database held.</summary>
internal sealed class ReadOperation
{
    public required int Session { get; init; }

    public required int Turn { get; init; }

    public required int Row { get; init; }

    /// <summary>Its answer must contain every write that was answered before it began.</summary>
    public bool IsFirstPrimary { get; init; }

    public bool IsError { get; init; }

    public required string Where { get; init; }

    public long Begun { get; init; }

    public long Ended { get; init; }

    /// <summary>The last write that the database held; 0 before the first.</summary>
    public int LastWrite { get; init; }

    /// <summary>The write whose value the row held; 0 without one.</summary>
    public int RowWrite { get; init; }

    /// <summary>The bookmark's position.</summary>
    public Position At { get; init; }
}

/// <summary>A leadership says that an entry is confirmed.</summary>
/// <param name="Writes">The numbers of the writes in it, in order.</param>
/// <param name="Rows">The row of each.</param>
internal sealed record ConfirmedEntry(Position End, Position Predecessor, ulong FirstSequence, IReadOnlyList<int> Writes, IReadOnlyList<int> Rows, Promise By, long At);

/// <summary>A leadership moved its confirmed mark.</summary>
internal sealed record MarkMoved(Promise By, Position To, FollowerSets Sets, long At);

/// <summary>A promise reached a follower's disk.</summary>
internal sealed record PromiseOnDisk(Guid Journal, Promise Promise, long At);

/// <summary>An entry reached a follower's disk.</summary>
internal sealed record EntryOnDisk(Guid Journal, Position End, long At);

/// <summary>A copy refused a bookmark for good.</summary>
internal sealed record AbandonedBookmark(Bookmark Bookmark, int Copy, long At);

/// <summary>A copy or a follower that stopped.</summary>
internal sealed record Contradiction(string Who, string What, long At);

/// <summary>A copy's pages at a position.</summary>
internal sealed record CopyImage(string Copy, Position At, IReadOnlyList<byte[]?> Pages);

/// <summary>A copy, or the log of a follower, at the end.</summary>
/// <param name="Positions">The entries of a log; empty for a copy.</param>
internal sealed record FinalCopy(string Copy, Position At, IReadOnlyList<Position> Positions);

/// <summary>What became of the cluster once all faults were over. Moments of true time; -1 for never.</summary>
internal sealed record Healing(long Healed, long WroteAgain, long Converged, string State)
{
    public static Healing NotReached { get; } = new(-1, -1, -1, "the story ended early");
}
