using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Kinds of <see cref="LeaderAction"/>.</summary>
internal enum LeaderActionKind
{
    /// <summary>Open a stream to <see cref="LeaderAction.Member"/> and keep it open, with backoff, until <see cref="Release"/>.</summary>
    Connect,

    /// <summary>The member's stream is stuck: open another one.</summary>
    Reconnect,

    /// <summary>The member is no follower any more: end its stream, behind what was sent.</summary>
    Release,

    /// <summary>Send <see cref="LeaderAction.Message"/> to the member, in order.</summary>
    Send,

    /// <summary>Read entries behind <see cref="LeaderAction.Position"/> up to <see cref="LeaderAction.To"/> from the member's log, and hand in some.</summary>
    Fetch,

    /// <summary>Get a durable base at or above <see cref="LeaderAction.Position"/>, where the member's log begins, and say which.</summary>
    FetchBase,

    /// <summary>Read entries behind <see cref="LeaderAction.Position"/> from this leader's log, memory or journal, about <see cref="LeaderAction.Number"/> bytes, for the member.</summary>
    ReadLog,

    /// <summary>Write the epoch entry behind <see cref="LeaderAction.Position"/>, with <see cref="LeaderAction.Sets"/>.</summary>
    Adopt,

    /// <summary>Everything up to <see cref="LeaderAction.Position"/> is confirmed.</summary>
    Confirmed,

    /// <summary>Whether the read <see cref="LeaderAction.Number"/> may rely on this leadership: <see cref="LeaderAction.Ok"/>.</summary>
    Proof,

    /// <summary>So few followers answer that nothing can be confirmed.</summary>
    QuorumLost,

    /// <summary>Enough followers answer.</summary>
    QuorumBack,

    /// <summary><see cref="LeaderAction.Promises"/> are the next leadership's.</summary>
    HandedOver,

    /// <summary>Deletion is final.</summary>
    Deleted,

    /// <summary>The leadership is over: <see cref="LeaderAction.Loss"/>.</summary>
    Lost,

    /// <summary>The member's log contradicts this one below what is confirmed: <see cref="LeaderAction.Reason"/>. It is fed no more.</summary>
    Diverged,
}

/// <summary>What the shell of a <see cref="LeaderCore"/> is to do, in the order given.</summary>
internal readonly record struct LeaderAction
{
    private LeaderAction(LeaderActionKind kind) => Kind = kind;

    public LeaderActionKind Kind { get; }

    public Guid Member { get; private init; }

    public LeaderMessage? Message { get; private init; }

    public Position Position { get; private init; }

    public Position To { get; private init; }

    /// <summary>A read's token, or a number of bytes.</summary>
    public long Number { get; private init; }

    public bool Ok { get; private init; }

    public FollowerSets? Sets => Detail as FollowerSets;

    public IReadOnlyList<MemberPromise>? Promises => Detail as IReadOnlyList<MemberPromise>;

    public LeaderLoss? Loss => Detail as LeaderLoss;

    public string? Reason => Detail as string;

    private object? Detail { get; init; }

    public static LeaderAction Connect(Guid member) => new(LeaderActionKind.Connect) { Member = member };

    public static LeaderAction Reconnect(Guid member) => new(LeaderActionKind.Reconnect) { Member = member };

    public static LeaderAction Release(Guid member) => new(LeaderActionKind.Release) { Member = member };

    public static LeaderAction Send(Guid member, LeaderMessage message) => new(LeaderActionKind.Send) { Member = member, Message = message };

    public static LeaderAction Fetch(Guid holder, Position from, Position to) => new(LeaderActionKind.Fetch) { Member = holder, Position = from, To = to };

    public static LeaderAction FetchBase(Guid holder, Position first) => new(LeaderActionKind.FetchBase) { Member = holder, Position = first };

    public static LeaderAction ReadLog(Guid member, Position after, int maxBytes) => new(LeaderActionKind.ReadLog) { Member = member, Position = after, Number = maxBytes };

    public static LeaderAction Adopt(Position position, FollowerSets sets) => new(LeaderActionKind.Adopt) { Position = position, Detail = sets };

    public static LeaderAction Confirmed(Position position) => new(LeaderActionKind.Confirmed) { Position = position };

    public static LeaderAction Proof(long token, bool ok) => new(LeaderActionKind.Proof) { Number = token, Ok = ok };

    public static LeaderAction Quorum(bool isThere) => new(isThere ? LeaderActionKind.QuorumBack : LeaderActionKind.QuorumLost);

    public static LeaderAction HandedOver(IReadOnlyList<MemberPromise> promises) => new(LeaderActionKind.HandedOver) { Detail = promises };

    public static LeaderAction Deleted() => new(LeaderActionKind.Deleted);

    public static LeaderAction Lost(LeaderLoss loss) => new(LeaderActionKind.Lost) { Detail = loss };

    public static LeaderAction Diverged(Guid member, string reason) => new(LeaderActionKind.Diverged) { Member = member, Detail = reason };
}
