using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>The log behind the position that was asked for is no longer kept from there on.</summary>
public sealed class JournalTrimmedException(DatabaseId database, Position wanted, Position first) : JournalException(
    $"The log of {database} was asked for from {wanted}; it is kept from {first} on. Begin with a durable base at or above that.")
{
    /// <summary>The position from which the log can be read.</summary>
    public Position First => first;
}
