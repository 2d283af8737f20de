using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Which state a restored file is.</summary>
/// <param name="Position">Where in the log.</param>
/// <param name="Epochs">The epoch table there.</param>
/// <param name="CommitTimeMicroseconds">Of the entry that ends there.</param>
/// <param name="PageSizeBytes">Of the file's pages.</param>
/// <param name="SizePages">The file's size.</param>
public sealed record RestoredState(Position Position, EpochTable Epochs, long CommitTimeMicroseconds, int PageSizeBytes, uint SizePages);
