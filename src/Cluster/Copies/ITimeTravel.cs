using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>What only a database's primary can do: find the bookmark of a moment, and go back to one.</summary>
public interface ITimeTravel
{
    /// <summary>The bookmark of the newest entry of which the commit time is not above a moment.</summary>
    /// <param name="atMicroseconds">Microseconds since 1970-01-01 UTC.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RequestException">There is none, or it cannot be found.</exception>
    Task<Bookmark> FindBookmarkAsync(long atMicroseconds, CancellationToken cancellationToken);

    /// <summary>Brings the database back to a bookmark by one more entry.</summary>
    /// <exception cref="RequestException">It cannot; the database is as it was.</exception>
    Task<RestoredDatabase> RestoreAsync(Bookmark bookmark, CancellationToken cancellationToken);

    /// <summary>Completes when everything up to a bookmark that was handed out is in cold storage; without one, everything that is confirmed.</summary>
    /// <exception cref="RequestException">The bookmark is no state of this database, or cold storage does not take it.</exception>
    Task StoreAsync(Bookmark? bookmark, CancellationToken cancellationToken);

    /// <summary>Takes no write any more, and brings everything that is confirmed to cold storage: the database is about to be deleted.</summary>
    /// <exception cref="RequestException">Cold storage does not take it.</exception>
    Task CloseAsync(CancellationToken cancellationToken);
}

/// <summary>What a restore did.</summary>
/// <param name="Bookmark">Of the restored state.</param>
/// <param name="Previous">Restoring this undoes it.</param>
/// <param name="RestoredTo">The end of the entry that held the bookmark asked for.</param>
public sealed record RestoredDatabase(Bookmark Bookmark, Bookmark Previous, Bookmark RestoredTo);
