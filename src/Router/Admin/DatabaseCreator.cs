using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Router;

/// <summary>Creates databases: checks the wish, places the primary, and brings it up, so that the answer means a database that takes writes.</summary>
internal sealed class DatabaseCreator(RouterContext context)
{
    private readonly DatabaseDescriber _describer = new(context);
    private readonly DatabaseSettings _settings = new(context.Control);

    public async Task<Database> CreateAsync(CreateDatabaseRequest request, ServerCallContext call)
    {
        DatabaseNames.Check(request.Name);
        var region = request.PrimaryRegion.Length == 0 ? context.Self.Region : _settings.Region(request.PrimaryRegion);
        var node = context.Self.Region == region ? context.Self : context.Control.Nodes.First(candidate => candidate.Region == region);
        var options = request.Options ?? new DatabaseOptions();
        var (wantedFollowers, wantedQuorum) = DatabaseSettings.Durability(options, null, null);
        var (followers, quorum) = FollowerPlacement.Choose(context.Control.Nodes, node.Id, [], wantedFollowers, wantedQuorum);
        var record = new DatabaseRecord
        {
            Id = NewId(),
            Name = request.Name,
            CreatedAt = Now(),
            PrimaryRegion = region,
            PrimaryNode = node.Id,
            Replicated = DatabaseSettings.Replicated(request.Replication, request.ReplicaRegions, old: true),
            ReplicaRegions = _settings.ReplicaRegions(request.ReplicaRegions, []),
            Profile = DatabaseSettings.Profile(options, SqlPolicy.Default.Name),
            PageSizeBytes = DatabaseSettings.PageSizeBytes(options),
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
        catch (Exception) when (!call.CancellationToken.IsCancellationRequested)
        {
            // Nobody knows of it yet. Left in the catalogue it would hold its name without ever having answered.
            await context.Control.DeleteAsync(record.Id, CancellationToken.None);
            throw;
        }
    }

    private DateTimeOffset Now()
    {
        var now = context.Time.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond)); // as the catalogue keeps it: the same after a restart
    }

    private DatabaseId NewId()
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
