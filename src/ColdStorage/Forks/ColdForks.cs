using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Makes forks: a new database refers to what its parent has in cold storage, and copies nothing of it.</summary>
public static class ColdForks
{
    /// <summary>Writes down that a new database begins with a state of another. Its first primary builds that state.</summary>
    /// <param name="cold">The store.</param>
    /// <param name="parent">Whose state.</param>
    /// <param name="fork">The new database's id, which nothing has yet.</param>
    /// <param name="at">Which state; <see langword="null"/>: the newest there.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ObjectStoreException">An object is missing or damaged, or the store does not answer.</exception>
    /// <exception cref="BookmarkNotStoredException">There is no such state.</exception>
    public static async Task<ColdOrigin> CreateAsync(ColdStore cold, DatabaseId parent, DatabaseId fork, Bookmark? at, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(cold);
        var state = await cold.Restorer.LocateAsync(parent, at, cancellationToken);
        var depth = 1 + (await ColdOrigin.ReadAsync(cold.Store, parent, cancellationToken) is { } grandparent ? grandparent.Depth : 0);
        if (depth > ColdOrigin.MaxDepth)
        {
            throw new BookmarkNotStoredException(at, parent, $"it is a fork of a fork, {ColdOrigin.MaxDepth} deep already. Export it and import that as a new database");
        }

        // The pin first: nobody collects what the fork needs once the state was found. It is looked for again behind it, for what was collected before.
        var pin = new ColdPin(state.Position, fork);
        await pin.PutAsync(cold.Store, parent, cancellationToken);
        try
        {
            if (await cold.Store.FindAsync(ColdNames.Removal(parent), cancellationToken) is not null)
            {
                throw new BookmarkNotStoredException(at, parent, "the database was deleted, its time of grace is over, and it is being removed");
            }

            state = await cold.Restorer.LocateAsync(parent, at ?? state.Position.ToBookmark(parent), cancellationToken);
        }
        catch
        {
            await cold.Store.DeleteAsync(pin.NameIn(parent), CancellationToken.None);
            throw;
        }

        var origin = new ColdOrigin
        {
            Database = fork,
            Parent = parent,
            Position = state.Position,
            CommitTimeMicroseconds = state.CommitTimeMicroseconds,
            PageSizeBytes = state.PageSizeBytes,
            SizePages = state.SizePages,
            Depth = depth,
            Epochs = state.Epochs,
        };
        await cold.Store.PutAsync(ColdNames.Origin(fork), [origin.Write()], cancellationToken);
        return await ColdOrigin.ReadAsync(cold.Store, fork, cancellationToken) ?? throw new ObjectMissingException(ColdNames.Origin(fork), cold.Store.Description);
    }

    /// <summary>Takes back a fork that came to nothing: nobody has ever heard of it.</summary>
    /// <exception cref="ObjectStoreException">The store does not answer.</exception>
    public static async Task RemoveAsync(ColdStore cold, DatabaseId fork, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(cold);
        if (await ColdOrigin.ReadAsync(cold.Store, fork, cancellationToken) is { } origin)
        {
            await cold.Store.DeleteAsync(ColdNames.Origin(fork), cancellationToken);
            await cold.Store.DeleteAsync(new ColdPin(origin.Position, fork).NameIn(origin.Parent), cancellationToken);
        }
    }
}
