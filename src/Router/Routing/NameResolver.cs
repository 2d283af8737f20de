using System.Globalization;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Router;

/// <summary>Finds the database that a call means, and goes on finding it when it gets another name meanwhile.</summary>
/// <remarks>
/// What this node remembers of the catalogue may be old. So a call by name that is passed on carries the revision that was seen, the primary's node, which every change
/// goes through, answers <see cref="Forwarding.Moved"/> if the name is another's or nobody's by now, and the name is looked up again, once.
/// </remarks>
internal sealed class NameResolver(IControlPlane control, NodeRecord self, TimeProvider time)
{
    private readonly VisibleNames _names = new(control, time);

    /// <summary>Carries out a call on the database that its client means.</summary>
    /// <param name="nameOrId">As the client wrote it.</param>
    /// <param name="call">Says whether another node has passed the call on.</param>
    /// <param name="run">The work. It may come a second time, for another database; the first time it did nothing.</param>
    /// <exception cref="RequestException">There is no such database, or <paramref name="run"/> refuses.</exception>
    public async ValueTask<T> RunAsync<T>(string nameOrId, ServerCallContext call, Func<DatabaseRecord, ValueTask<T>> run)
    {
        var database = await FindAsync(nameOrId, call);
        try
        {
            return await run(database);
        }
        catch (RpcException moved) when (Forwarding.IsMoved(moved) && !IsPassedOn(call))
        {
            database = await FindNewestAsync(nameOrId, call);
        }
        catch (RequestException foreign) when (foreign.Error.Code == ErrorCodes.BookmarkForeign && !IsPassedOn(call))
        {
            // Perhaps the bookmark is right and what is remembered of the name is old.
            var newest = await FindNewestAsync(nameOrId, call);
            if (newest.Id == database.Id)
            {
                throw;
            }

            database = newest;
        }

        try
        {
            return await run(database);
        }
        catch (RpcException moved) when (Forwarding.IsMoved(moved))
        {
            throw MovesOn(nameOrId);
        }
    }

    /// <summary>Why a call that cannot be carried out a second time ends, after <see cref="Forwarding.Moved"/>.</summary>
    public async ValueTask<RequestException> AfterMovedAsync(string nameOrId, ServerCallContext call) =>
        await _names.FindNewestAsync(nameOrId, call.Caller(), call.CancellationToken) is null ? DatabaseNames.NotFound(nameOrId) : MovesOn(nameOrId);

    /// <summary>The database of a call that is not carried out twice.</summary>
    /// <exception cref="RequestException">There is none.</exception>
    /// <exception cref="RpcException"><see cref="Forwarding.Moved"/>, to a node that passed the call on.</exception>
    public async ValueTask<DatabaseRecord> FindAsync(string nameOrId, ServerCallContext call)
    {
        if (!self.Roles.HasFlag(NodeRoles.Router) && !IsPassedOn(call))
        {
            throw new RequestException(ErrorCodes.NoPrimary, $"Node {self.Id} takes no calls of clients: its roles are {self.Roles}, without {NodeRoles.Router}. Nothing was done; ask another node.");
        }

        var isPassedOn = IsPassedOn(call);
        var database = await _names.FindAsync(nameOrId, call.Caller(), call.CancellationToken);
        if (isPassedOn && call.TryGetRequestHeader(Forwarding.RevisionHeader, out var text) && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seen)
            && Guid.TryParse(nameOrId, out var guid) && (database is null || database.NameRevision > seen))
        {
            throw Forwarding.Moved(new DatabaseId(guid));
        }

        return database ?? throw DatabaseNames.NotFound(nameOrId); // what a caller may not see does not exist for it: the same words, so that names cannot be tried out
    }

    private async ValueTask<DatabaseRecord> FindNewestAsync(string nameOrId, ServerCallContext call) =>
        await _names.FindNewestAsync(nameOrId, call.Caller(), call.CancellationToken) ?? throw DatabaseNames.NotFound(nameOrId);

    private static bool IsPassedOn(ServerCallContext call) => call.TryGetRequestHeader(Forwarding.Header, out _);

    private static RequestException MovesOn(string name) =>
        new(ErrorCodes.NoPrimary, $"The name '{name}' is just going from one database to another. Nothing was done; try again.");
}
