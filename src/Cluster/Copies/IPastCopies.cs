using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>Copies of databases as they were, for reads of a state that is over. Safe for use by any thread.</summary>
public interface IPastCopies
{
    /// <summary>The copy that shows the end of the entry that holds a bookmark; it is built if it is not there, from what cold storage has.</summary>
    /// <param name="database">Whose.</param>
    /// <param name="at">The bookmark, of this database.</param>
    /// <param name="cancellationToken">Gives up; the copy is built all the same, for the next caller.</param>
    /// <returns><see langword="null"/> if cold storage does not have that state, or does not have it yet.</returns>
    /// <exception cref="RequestException">It cannot be built, or too many are in use.</exception>
    Task<PastCopyLease?> UseAsync(DatabaseRecord database, Bookmark at, CancellationToken cancellationToken);
}

/// <summary>The use of a copy of the past; whoever has it disposes it when his read is over.</summary>
/// <param name="Copy">Answers what only reads.</param>
/// <param name="Release">Ends the use.</param>
public sealed record PastCopyLease(IDatabaseCopy Copy, Action Release) : IDisposable
{
    /// <summary>Ends the use.</summary>
    public void Dispose() => Release();
}
