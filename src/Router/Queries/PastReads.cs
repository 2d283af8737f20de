using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Router;

/// <summary>Reads of a state that is over (<c>as_of</c>): by a copy of it on this node, else, while it is not in cold storage yet, on the primary's.</summary>
internal sealed class PastReads(RouterContext context)
{
    /// <summary>The state that is asked for, if one is.</summary>
    /// <exception cref="RequestException">It is no bookmark of this database, or there is no cold storage.</exception>
    public Bookmark? Asked(ReadOptions? read, DatabaseRecord database)
    {
        if (read is not { AsOf: { Length: > 0 } text })
        {
            return null;
        }

        if (!Bookmark.TryParse(text, out var at))
        {
            throw BookmarkErrors.Malformed(text);
        }

        return at != Bookmark.Start && at.DatabaseTag != database.Id.Tag ? throw BookmarkErrors.Foreign(at)
            : context.Past is null ? throw new RequestException(ErrorCodes.InvalidRequest, "This cluster keeps no cold storage, and without it no state that is over can be read. Nothing was done.")
            : at;
    }

    /// <summary>A copy that shows it.</summary>
    /// <returns><see langword="null"/>: the primary's node is to answer, which brings the newest entries to cold storage first, and knows what does not exist.</returns>
    public async Task<PastCopyLease?> UseAsync(DatabaseRecord database, Bookmark at, RunningQuery query, ServerCallContext call)
    {
        query.Copy = "past";
        if (await context.Past!.UseAsync(database, at, call.CancellationToken) is { } past)
        {
            return past;
        }

        if (database.PrimaryNode != context.Self.Id)
        {
            DatabaseDescriber.RefuseSecondHop(database, call);
            return null;
        }

        using (var lease = await context.Primaries.UseAsync(database.Id, call.CancellationToken))
        {
            await ((ITimeTravel)lease.Grain).StoreAsync(at, call.CancellationToken);
        }

        return await context.Past.UseAsync(database, at, call.CancellationToken)
            ?? throw new RequestException(ErrorCodes.InvalidRequest, $"The state at {at} is not in cold storage: it is older than what is kept, or from before there was any. Nothing was done.");
    }
}
