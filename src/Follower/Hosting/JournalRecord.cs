namespace ReplicatedSqlite.Follower;

/// <summary>What a node's folder remembers of its journal, so that an older copy of it is noticed.</summary>
/// <param name="Id">The journal's id.</param>
/// <param name="LastGroup">The number of the newest group when this was written.</param>
public sealed record JournalRecord(Guid Id, ulong LastGroup);
