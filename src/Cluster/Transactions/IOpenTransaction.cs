using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>An interactive transaction on one copy. Its calls come one after the other; disposing rolls back what was not committed.</summary>
public interface IOpenTransaction : IAsyncDisposable
{
    /// <summary>The answer to Begin: what is read at.</summary>
    Done Begun { get; }

    /// <summary>It can go on. A statement may have rolled all of it back.</summary>
    bool IsOpen { get; }

    /// <summary>Runs a step's statements and gives their results.</summary>
    /// <exception cref="RequestException">One failed and was undone alone, unless <see cref="IsOpen"/> is false now.</exception>
    IAsyncEnumerable<ResultPart> ExecuteAsync(SqlRequest request);

    /// <summary>Commits and ends it; completes when the outcome is durable.</summary>
    /// <exception cref="RequestException">It is not committed, or its outcome is unknown. It has ended.</exception>
    Task<Done> CommitAsync();

    /// <summary>Rolls back and ends it.</summary>
    Task<Done> RollbackAsync();
}
