using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>A position that was named is not where this log is. Nothing was done.</summary>
public sealed class JournalMismatchException(DatabaseId database, Position wanted, Position last, string what) : JournalException(
    $"{what} of {database} names {wanted}, which does not fit this log; it ends at {last}. Send what follows a position that both hold, or cut first.")
{
    /// <summary>Whose log it is.</summary>
    public DatabaseId Database => database;

    /// <summary>The position that was named.</summary>
    public Position Wanted => wanted;

    /// <summary>Where this log ends, with what still waits to become durable.</summary>
    public Position Last => last;
}
