using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

internal enum JournalRecordKind
{
    Entry,
    Cut,
    Base,
    Start,
    Note,

    /// <summary>Takes a place and says nothing; only planted faults write it.</summary>
    Nothing,
}

/// <summary>One record of a journal.</summary>
/// <param name="Number">Ascending on its disk, through all lives of the process.</param>
internal sealed record JournalRecord(JournalRecordKind Kind, long Number, long Ticket, Entry? Entry = null, Position Position = default, FollowerNote? Note = null);
