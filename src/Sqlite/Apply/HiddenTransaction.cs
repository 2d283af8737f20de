namespace ReplicatedSqlite.Sqlite;

/// <summary>A transaction whose frames lie in the WAL beyond what readers look at.</summary>
/// <param name="LastFrame">Its last frame, or that of the one before when it changed no page.</param>
/// <param name="DatabaseSizePages">The database's size after it.</param>
/// <param name="Checksum">The WAL's running checksum at its end, as if its commit frame's header stood in the file.</param>
/// <param name="CommitHeader">The header that the file lacks; page number 0 when the transaction changed no page.</param>
internal readonly record struct HiddenTransaction(uint LastFrame, uint DatabaseSizePages, WalChecksum Checksum, WalFrameHeader CommitHeader);
