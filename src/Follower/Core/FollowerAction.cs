using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

/// <summary>What the shell of a <see cref="FollowerCore"/> is to do, in the order given. Writes are told back by their ticket once they are on disk.</summary>
internal abstract record FollowerAction
{
    private FollowerAction()
    {
    }

    /// <summary>Send an answer.</summary>
    public sealed record Reply(int Stream, FollowerMessage Message) : FollowerAction;

    /// <summary>Append an entry to the journal.</summary>
    public sealed record WriteEntry(Entry Entry, long Ticket) : FollowerAction;

    /// <summary>Take back what lies behind a position of the journal.</summary>
    public sealed record WriteCut(Position End, long Ticket) : FollowerAction;

    /// <summary>Keep the note with the journal.</summary>
    public sealed record WriteNote(FollowerNote Note, long Ticket) : FollowerAction;

    /// <summary>The log up to here is no longer needed.</summary>
    public sealed record WriteBase(Position Base, long Ticket) : FollowerAction;

    /// <summary>Empty the log; it goes on behind a base.</summary>
    public sealed record WriteStart(Position Base, long Ticket) : FollowerAction;

    /// <summary>End a stream. The leader comes again and asks where to go on.</summary>
    public sealed record CloseStream(int Stream, string Reason) : FollowerAction;

    /// <summary>A leader contradicts what was confirmed. This database's follower stops: a fault that somebody must look at.</summary>
    public sealed record Diverged(string Reason) : FollowerAction;
}
