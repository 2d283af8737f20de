using System.Text.Json;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>This node's cold storage, for administration.</summary>
internal sealed class NodeArchive(ColdStore cold, ColdKeeper keeper, string scratchFolder, TimeSpan deletionGrace, TimeProvider time) : IArchive
{
    public TimeSpan DeletionGrace => deletionGrace;

    public Task<ArchivedDatabase?> FindAsync(DatabaseId database, CancellationToken cancellationToken) =>
        AskAsync(async () => await ColdRecord.ReadAsync(cold.Store, database, cancellationToken) is { } stored ? ArchivedRecord.Read(stored) : null);

    public Task<IReadOnlyList<ArchivedDatabase>> ListAsync(CancellationToken cancellationToken) => AskAsync<IReadOnlyList<ArchivedDatabase>>(async () =>
    {
        var all = new List<ArchivedDatabase>();
        await foreach (var stored in ColdRecord.ReadAllAsync(cold.Store, cancellationToken))
        {
            all.Add(ArchivedRecord.Read(stored));
        }

        return all;
    });

    public Task<ArchivedState> LocateAsync(DatabaseId database, Bookmark? at, CancellationToken cancellationToken) =>
        AskAsync(async () => Describe(await cold.Restorer.LocateAsync(database, at, cancellationToken)));

    public Task<ArchivedState> ForkAsync(DatabaseId parent, DatabaseId fork, Bookmark? at, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        try
        {
            var origin = await ColdForks.CreateAsync(cold, parent, fork, at, cancellationToken);
            return new ArchivedState(origin.Position, At(origin.CommitTimeMicroseconds), origin.PageSizeBytes);
        }
        finally
        {
            keeper.NoteFork(parent); // its pin is there, or may be
        }
    });

    public Task RemoveForkAsync(DatabaseId fork, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await ColdForks.RemoveAsync(cold, fork, cancellationToken);
        return true;
    });

    public Task MarkDeletedAsync(DatabaseRecord database, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        if (await ColdRecord.ReadAsync(cold.Store, database.Id, cancellationToken) is not null) // else nothing of it was ever stored
        {
            await cold.KeepRecordAsync(ArchivedRecord.Of(database, time.GetUtcNow()), cancellationToken: cancellationToken);
        }

        return true;
    });

    public Task<ArchiveProof> VerifyAsync(DatabaseId database, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        var proof = await new ColdVerifier(cold.Store, scratchFolder).RunAsync(database, cancellationToken);
        return new ArchiveProof(proof.From, proof.To, proof.Objects, proof.Bytes, proof.Entries, proof.Snapshots);
    });

    private static async Task<T> AskAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (ObjectStoreException e)
        {
            throw new RequestException(e.IsTransient ? ErrorCodes.NoPrimary : ErrorCodes.SqliteCorrupt, $"{e.Message} Nothing was changed.");
        }
        catch (BookmarkNotStoredException e)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, e.Message);
        }
        catch (JsonException e)
        {
            throw new RequestException(ErrorCodes.SqliteCorrupt, $"A record in cold storage cannot be read: {e.Message} Nothing was changed.");
        }
    }

    private static ArchivedState Describe(RestoredState state) => new(state.Position, At(state.CommitTimeMicroseconds), state.PageSizeBytes);

    private static DateTimeOffset At(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
