using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Router;

/// <summary>Describes a database as the contract does. What only its primary knows, its size and bookmark, is asked there.</summary>
internal sealed class DatabaseDescriber(RouterContext context)
{
    /// <summary>What the catalogue says, and what an active primary here adds. Activates nothing.</summary>
    public Database FromCatalogue(DatabaseRecord record)
    {
        var described = new Database
        {
            Id = record.Id.ToString(),
            Name = record.Name,
            CreatedAt = Timestamp.FromDateTimeOffset(record.CreatedAt),
            PrimaryRegion = RegionOf(record),
            Replication = record.Replicated ? ReplicationMode.Auto : ReplicationMode.Disabled,
            Epoch = record.Epoch,
            Options = new DatabaseOptions { Followers = (uint)record.Followers.Length, Quorum = (uint)record.Quorum, Profile = record.Profile, PageSize = (uint)record.PageSizeBytes },
        };
        if (record.Retention is { } retention)
        {
            described.Options.Retention = Duration.FromTimeSpan(retention);
        }

        if (record.Replicated)
        {
            var regions = record.ReplicaRegions.IsEmpty ? context.Control.Nodes.Select(node => node.Region).Distinct() : record.ReplicaRegions;
            described.ReplicaRegions.AddRange(regions.Where(region => region != described.PrimaryRegion));
        }

        if (record.PrimaryNode == context.Self.Id && context.Primaries.TryUse(record.Id, keepsIt: false) is { } lease)
        {
            using (lease)
            {
                Add(described, record, lease.Grain.Status);
            }
        }

        return described;
    }

    /// <summary>With what the primary says; activates it.</summary>
    /// <param name="record">Which.</param>
    /// <param name="nameOrId">What the client called it.</param>
    /// <param name="call">The client's.</param>
    public async ValueTask<Database> DescribeAsync(DatabaseRecord record, string nameOrId, ServerCallContext call)
    {
        if (record.PrimaryNode != context.Self.Id)
        {
            RefuseSecondHop(record, call);
            return await ForwardAsync(AdminMethods.GetDatabase, new GetDatabaseRequest { Database = record.Id.ToString() }, record, nameOrId, call);
        }

        using var lease = await context.Primaries.UseAsync(record.Id, call.CancellationToken);
        var described = FromCatalogue(context.Control.Find(record.Id) ?? record); // the activation took an epoch
        Add(described, record, lease.Grain.Status);
        return described;
    }

    /// <summary>After a move the call goes one hop further, to the node that has just become the primary.</summary>
    public async ValueTask<Database> DescribeMovedAsync(DatabaseRecord record, string nameOrId, ServerCallContext call) => record.PrimaryNode == context.Self.Id
        ? await DescribeAsync(record, nameOrId, call)
        : await ForwardAsync(AdminMethods.GetDatabase, new GetDatabaseRequest { Database = record.Id.ToString() }, record, nameOrId, call);

    /// <summary>Lets the primary's node carry out a call.</summary>
    /// <param name="method">Which.</param>
    /// <param name="request">It names the database by id.</param>
    /// <param name="record">The database.</param>
    /// <param name="nameOrId">What the client called it.</param>
    /// <param name="call">The client's.</param>
    public async ValueTask<TResponse> ForwardAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, DatabaseRecord record, string nameOrId, ServerCallContext call)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var options = context.Forwarder.Options(record.Id, nameOrId, call.Caller());
        var channel = context.Channels.ForQueries(context.Forwarder.PrimaryOf(record.Id));
        try
        {
            return await channel.CallAsync(method, request, options, call.CancellationToken);
        }
        catch (RpcException failure) when (PrimaryForwarder.Translate(failure, readsOnly: method == (object)AdminMethods.GetDatabase) is { } translated)
        {
            throw translated;
        }
    }

    public static void RefuseSecondHop(DatabaseRecord record, ServerCallContext call)
    {
        if (call.TryGetRequestHeader(Forwarding.Header, out var by))
        {
            throw new RequestException(ErrorCodes.NoPrimary, $"Node {by} takes this node for the primary of '{record.Name}'. Try again.");
        }
    }

    // Where it is led now; after a takeover that may be another region than the one it should be led in.
    private string RegionOf(DatabaseRecord record) => context.Control.Nodes.FirstOrDefault(node => node.Id == record.PrimaryNode)?.Region ?? record.PrimaryRegion;

    private static void Add(Database described, DatabaseRecord record, CopyStatus status)
    {
        described.SizeBytes = status.SizeBytes;
        described.Bookmark = status.Visible.ToBookmark(record.Id).ToString();
    }
}
