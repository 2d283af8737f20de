using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <summary>SQL of the engine's own around one member's statements, in its savepoint: what it writes stays if, and only if, the member stays.</summary>
/// <remarks>A group that was rolled back runs its members again, so both may be called several times for one member.</remarks>
public interface IMemberSteps
{
    /// <summary>Before the statements.</summary>
    /// <returns><see langword="false"/>: the member is answered already; its statements do not run.</returns>
    /// <exception cref="RequestException">The member is refused.</exception>
    bool Before(OwnerSql sql);

    /// <summary>After the statements, if they succeeded.</summary>
    /// <exception cref="RequestException">The member is refused, and nothing of it is done.</exception>
    void After(OwnerSql sql, MemberOutcome outcome);
}
