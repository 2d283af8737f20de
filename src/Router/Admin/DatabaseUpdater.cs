using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Router;

/// <summary>Changes a database's name, replicas and options, all together or not at all.</summary>
/// <remarks>On the primary's node: whoever passes calls on by a name that is no longer right comes there, and is told.</remarks>
internal sealed class DatabaseUpdater(RouterContext context)
{
    private readonly DatabaseDescriber _describer = new(context);
    private readonly DatabaseSettings _settings = new(context.Control);

    public async ValueTask<Database> UpdateAsync(UpdateDatabaseRequest request, DatabaseRecord database, ServerCallContext call)
    {
        if (request.NewName.Length > 0 && call.Caller() is { Databases: not null } caller)
        {
            throw new RequestException(ErrorCodes.TokenLacksRight, $"{caller.Describe()} is for some databases, and a new name is taken from the whole cluster. Nothing was done.");
        }

        if (database.PrimaryNode != context.Self.Id)
        {
            DatabaseDescriber.RefuseSecondHop(database, call);
            var name = request.Database;
            request.Database = database.Id.ToString();
            return await _describer.ForwardAsync(AdminMethods.UpdateDatabase, request, database, name, call);
        }

        var changed = await context.Control.UpdateAsync(database.Id, old => Change(old, request), call.CancellationToken);
        if (FollowerPlacement.Change(context.Control.Nodes, context.Self.Id, changed) is not null)
        {
            await context.LeadAnewAsync(changed.Id); // a set changes with an epoch
        }

        return await _describer.DescribeAsync(changed, request.Database, call);
    }

    private DatabaseRecord Change(DatabaseRecord old, UpdateDatabaseRequest request)
    {
        var options = request.Options ?? new DatabaseOptions();
        if (request.NewName.Length > 0)
        {
            DatabaseNames.Check(request.NewName);
        }

        DatabaseSettings.RefuseOtherPageSize(options, old.PageSizeBytes);
        var (wantedFollowers, wantedQuorum) = DatabaseSettings.Durability(options, old.WantedFollowers, old.WantedQuorum);
        if ((wantedFollowers, wantedQuorum) != (old.WantedFollowers, old.WantedQuorum))
        {
            FollowerPlacement.Choose(context.Control.Nodes, old.PrimaryNode, old.Followers, wantedFollowers, wantedQuorum); // refuses what cannot be now
        }

        return old with
        {
            Retention = DatabaseSettings.Retention(options, old.Retention),
            WantedFollowers = wantedFollowers,
            WantedQuorum = wantedQuorum,
            Name = request.NewName.Length > 0 ? request.NewName : old.Name,
            Replicated = DatabaseSettings.Replicated(request.Replication, request.ReplicaRegions, old.Replicated),
            ReplicaRegions = _settings.ReplicaRegions(request.ReplicaRegions, old.ReplicaRegions),
            Profile = DatabaseSettings.Profile(options, old.Profile),
        };
    }
}
