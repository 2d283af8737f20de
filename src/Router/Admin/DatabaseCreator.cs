using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Router;

/// <summary>Creates databases: checks the wish, places the primary, and brings it up, so that the answer means a database that takes writes. One that does not come up stays, and the answer says so.</summary>
internal sealed class DatabaseCreator(RouterContext context)
{
    private readonly DatabaseDescriber _describer = new(context);
    private readonly DatabaseSettings _settings = new(context.Control);

    public async Task<Database> CreateAsync(CreateDatabaseRequest request, ServerCallContext call)
    {
        DatabaseNames.Check(request.Name);
        var node = PrimaryIn(request.PrimaryRegion.Length == 0 ? null : _settings.Region(request.PrimaryRegion));
        var options = request.Options ?? new DatabaseOptions();
        var (wantedFollowers, wantedQuorum) = DatabaseSettings.Durability(options, null, null);
        var (followers, quorum) = FollowerPlacement.Choose(
            context.Control.Nodes, node.Id, [], wantedFollowers, wantedQuorum, other => context.Reach.Between(node.Id, other.Id));
        var record = new DatabaseRecord
        {
            Id = NewId(),
            Name = request.Name,
            CreatedAt = Now(),
            PrimaryRegion = node.Region,
            PrimaryNode = node.Id,
            Replicated = DatabaseSettings.Replicated(request.Replication, request.ReplicaRegions, old: true),
            ReplicaRegions = _settings.ReplicaRegions(request.ReplicaRegions, []),
            Profile = DatabaseSettings.Profile(options, SqlPolicy.Default.Name),
            PageSizeBytes = DatabaseSettings.PageSizeBytes(options),
            Retention = DatabaseSettings.Retention(options, null),
            WantedFollowers = wantedFollowers,
            WantedQuorum = wantedQuorum,
            Followers = followers,
            Quorum = quorum,
        };
        await context.Control.CreateAsync(record, call.CancellationToken);
        try
        {
            return await _describer.DescribeAsync(record, record.Name, call);
        }
        catch (Exception failure) when (failure is RequestException or RpcException && !call.CancellationToken.IsCancellationRequested)
        {
            throw NotUpYet(record, failure);
        }
    }

    // This node if it can, else one of its region, else the nearest of those that can.
    public NodeRecord PrimaryIn(string? region) => context.Control.Nodes
        .Where(node => node.MayLead && (region is null || node.Region == region))
        .OrderByDescending(node => node.Id == context.Self.Id)
        .ThenByDescending(node => node.Region == context.Self.Region)
        .ThenBy(node => context.Reach.IsAside(node.Id) || context.Reach.IsLeaving(node.Id))
        .ThenBy(node => context.Reach.RoundTripTo(node.Id) ?? TimeSpan.MaxValue)
        .FirstOrDefault() ?? throw new RequestException(
            ErrorCodes.InvalidRequest, $"There is no node{(region is null ? "" : $" in region '{region}'")} that may lead databases. Nothing was done.");

    // It stays: from the catalogue others know of it, and may have written to it, so that nobody but who wants to delete it may take it away.
    public static RequestException NotUpYet(DatabaseRecord record, Exception failure) => new(
        new SqlError { Code = ErrorCodes.WriteOutcomeUnknown, StatementIndex = -1, SqlOffset = -1, CommitState = CommitState.Unknown },
        $"The database '{record.Name}' ({record.Id}) exists; its primary is not up yet: {failure.Message} Use it, or delete it, when it answers.");

    public DateTimeOffset Now()
    {
        var now = context.Time.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond)); // as the catalogue keeps it: the same after a restart
    }

    public DatabaseId NewId()
    {
        Span<byte> bytes = stackalloc byte[DatabaseId.SizeBytes];
        lock (context.Random)
        {
            context.Random.NextBytes(bytes);
        }

        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x40); // a version 4 UUID, so that other programs take it for one
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return DatabaseId.Read(bytes);
    }
}
