using System.Collections.Immutable;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>Nodes, catalogue and leadership of one cluster.</summary>
/// <remarks>
/// No answered write rests on it: followers fence by epoch and activation, so that a wrong, late or repeated answer costs availability, never
/// data. Lookups answer from memory; changes are durable when they return. Safe for use by any thread.
/// </remarks>
public interface IControlPlane : IAsyncDisposable
{
    /// <summary>Made when the cluster was created. A node's folder remembers it, so that folders of two clusters are never mixed.</summary>
    string ClusterId { get; }

    /// <summary>Why nothing can be elected, created or changed now; <see langword="null"/> when all is well. Lookups answer all the same.</summary>
    string? Trouble => null;

    /// <summary>The nodes alive now.</summary>
    IReadOnlyList<NodeRecord> Nodes { get; }

    /// <summary>Access tokens.</summary>
    ITokenStore Tokens { get; }

    /// <summary>By what the nodes of this cluster know each other where connections are not encrypted.</summary>
    string NodeKey { get; }

    /// <summary>Announces a node. It is alive until the result is disposed.</summary>
    Task<IAsyncDisposable> RegisterAsync(NodeRecord node, CancellationToken cancellationToken = default);

    /// <summary>A database by name or id; <see langword="null"/> if there is none.</summary>
    DatabaseRecord? Find(string nameOrId);

    /// <summary>A database by id.</summary>
    DatabaseRecord? Find(DatabaseId id);

    /// <summary>Whether there was a database of this id that is deleted now, so that what is left of it may go. One that is not known at all may be newer than a control plane brought back from a copy.</summary>
    bool IsDeleted(DatabaseId id);

    /// <summary>A database by name or id as the control plane knows it now, past whatever this node remembers; lookups here answer so from then on.</summary>
    ValueTask<DatabaseRecord?> FindNewestAsync(string nameOrId, CancellationToken cancellationToken = default);

    /// <summary>Databases whose names begin with the prefix and come after a name, by name, in ordinal order.</summary>
    IReadOnlyList<DatabaseRecord> List(string namePrefix, string afterName, int count);

    /// <summary>Adds a database.</summary>
    /// <exception cref="RequestException">The name is taken (<see cref="ErrorCodes.DatabaseExists"/>).</exception>
    Task CreateAsync(DatabaseRecord database, CancellationToken cancellationToken = default);

    /// <summary>Changes a database. A new name is taken and the old one free at the same moment.</summary>
    /// <param name="id">Which.</param>
    /// <param name="change">Makes the new record from the newest one, possibly more than once. Id, epoch and revisions are not its business. It may throw to refuse.</param>
    /// <param name="cancellationToken">Stops the try; it may have been changed all the same.</param>
    /// <returns>The record as it is now; the old one if nothing changed.</returns>
    /// <exception cref="RequestException">The new name is taken (<see cref="ErrorCodes.DatabaseExists"/>), or the database is gone.</exception>
    Task<DatabaseRecord> UpdateAsync(DatabaseId id, Func<DatabaseRecord, DatabaseRecord> change, CancellationToken cancellationToken = default);

    /// <summary>Takes a database out of the catalogue. Its id is never used again.</summary>
    /// <returns><see langword="false"/> if there is none.</returns>
    Task<bool> DeleteAsync(DatabaseId id, CancellationToken cancellationToken = default);

    /// <summary>Wins the next epoch by compare-and-swap.</summary>
    /// <param name="id">The database.</param>
    /// <param name="nodeId">Who will lead.</param>
    /// <param name="expected">The epoch that the catalogue is known to name.</param>
    /// <param name="above">The greatest epoch in the caller's log: the new one is above it, also when the catalogue was brought back from an older copy.</param>
    /// <param name="cancellationToken">Stops the try; the epoch may have been taken all the same.</param>
    /// <returns>The new epoch.</returns>
    /// <exception cref="RequestException">Somebody else took it, or the database is gone.</exception>
    Task<uint> TakeEpochAsync(DatabaseId id, string nodeId, uint expected, uint above, CancellationToken cancellationToken = default);

    /// <summary>Writes down who follows, once the log's own word for it is confirmed. Ignored when the catalogue names a later epoch.</summary>
    /// <param name="id">The database.</param>
    /// <param name="epoch">The leadership that says so.</param>
    /// <param name="followers">Who follows, and where.</param>
    /// <param name="quorum">How many of them make a write durable.</param>
    /// <param name="cancellationToken">Stops the try.</param>
    Task SetFollowersAsync(DatabaseId id, uint epoch, ImmutableArray<FollowerPlace> followers, int quorum, CancellationToken cancellationToken = default);

    /// <summary>Calls back after each change of the catalogue, on the changer's thread; keep it short.</summary>
    /// <returns>Ends the watch.</returns>
    IDisposable Watch(Action<CatalogueChange> onChange);
}

/// <summary>One database was created, changed or deleted.</summary>
/// <param name="Id">Which.</param>
/// <param name="Database">As it is now; <see langword="null"/> when deleted.</param>
public readonly record struct CatalogueChange(DatabaseId Id, DatabaseRecord? Database);
