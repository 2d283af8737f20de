using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>Cold storage, as administration sees it: what it has of databases that live, that were deleted, and of which nothing else is left.</summary>
/// <remarks>Every failure is a <see cref="RequestException"/> that names the object.</remarks>
public interface IArchive
{
    /// <summary>What is known of a database; <see langword="null"/> if nothing of it was ever stored.</summary>
    Task<ArchivedDatabase?> FindAsync(DatabaseId database, CancellationToken cancellationToken);

    /// <summary>All databases of which something is stored.</summary>
    Task<IReadOnlyList<ArchivedDatabase>> ListAsync(CancellationToken cancellationToken);

    /// <summary>The end of the entry that holds a bookmark; without one the newest.</summary>
    Task<ArchivedState> LocateAsync(DatabaseId database, Bookmark? at, CancellationToken cancellationToken);

    /// <summary>Writes down that a new database begins with a state of another.</summary>
    Task<ArchivedState> ForkAsync(DatabaseId parent, DatabaseId fork, Bookmark? at, CancellationToken cancellationToken);

    /// <summary>Takes back a fork that came to nothing.</summary>
    Task RemoveForkAsync(DatabaseId fork, CancellationToken cancellationToken);

    /// <summary>Writes down that a database was deleted: it is kept for the time of grace.</summary>
    Task MarkDeletedAsync(DatabaseRecord database, CancellationToken cancellationToken);

    /// <summary>How long a deleted database is kept.</summary>
    TimeSpan DeletionGrace { get; }

    /// <summary>Reads everything that is stored of a database, and proves that it can be restored.</summary>
    Task<ArchiveProof> VerifyAsync(DatabaseId database, CancellationToken cancellationToken);
}

/// <summary>A database in cold storage.</summary>
/// <param name="Record">Its settings.</param>
/// <param name="DeletedAt">When it was deleted; <see langword="null"/> while it is not.</param>
public sealed record ArchivedDatabase(DatabaseRecord Record, DateTimeOffset? DeletedAt);

/// <summary>A state in cold storage.</summary>
/// <param name="Position">The end of its last entry.</param>
/// <param name="CommittedAt">When that was committed.</param>
/// <param name="PageSizeBytes">Bytes of a page.</param>
public sealed record ArchivedState(Position Position, DateTimeOffset CommittedAt, int PageSizeBytes);

/// <summary>What a verification read.</summary>
/// <param name="From">The first state that can be restored.</param>
/// <param name="To">The last.</param>
/// <param name="Objects">Objects read.</param>
/// <param name="Bytes">Bytes read.</param>
/// <param name="Entries">Entries of the log.</param>
/// <param name="Snapshots">Snapshots.</param>
public sealed record ArchiveProof(Position From, Position To, long Objects, long Bytes, long Entries, int Snapshots);
