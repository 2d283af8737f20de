using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Router;

/// <summary>Creates databases: checks the wish, places the primary, and brings it up, so that the answer means a database that takes writes.</summary>
internal sealed class DatabaseCreator(RouterContext context)
{
    private readonly DatabaseDescriber _describer = new(context);

    public async Task<Database> CreateAsync(CreateDatabaseRequest request, ServerCallContext call)
    {
        DatabaseNames.Check(request.Name);
        var region = request.PrimaryRegion.Length == 0 ? context.Self.Region : KnownRegion(request.PrimaryRegion);
        var node = context.Self.Region == region ? context.Self : context.Control.Nodes.First(candidate => candidate.Region == region);
        var options = request.Options ?? new DatabaseOptions();
        var record = new DatabaseRecord
        {
            Id = NewId(),
            Name = request.Name,
            CreatedAt = context.Time.GetUtcNow(),
            PrimaryRegion = region,
            PrimaryNode = node.Id,
            Replicated = request.Replication != ReplicationMode.Disabled,
            ReplicaRegions = [.. (request.ReplicaRegions?.Regions ?? []).Select(KnownRegion).Distinct()],
            Profile = Profile(options),
            PageSizeBytes = PageSize(options),
        };
        RefuseWhatIsNotBuilt(options);
        await context.Control.CreateAsync(record, call.CancellationToken);
        try
        {
            return await _describer.DescribeAsync(record, call);
        }
        catch (Exception) when (!call.CancellationToken.IsCancellationRequested)
        {
            // Nobody knows of it yet. Left in the catalogue it would hold its name without ever having answered.
            await context.Control.DeleteAsync(record.Id, CancellationToken.None);
            throw;
        }
    }

    private string KnownRegion(string region) => context.Control.Nodes.Any(node => node.Region == region)
        ? region
        : throw new RequestException(
            ErrorCodes.InvalidRequest,
            $"There is no region '{region}'. The regions are {string.Join(", ", context.Control.Nodes.Select(node => node.Region).Distinct())}.");

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

    private static string Profile(DatabaseOptions options)
    {
        var profile = options.Profile.Length == 0 ? SqlPolicy.Default.Name : options.Profile;
        return SqlPolicy.Find(profile) is not null
            ? profile
            : throw new RequestException(
                ErrorCodes.InvalidRequest, $"There is no profile '{profile}'. The profiles are \"{SqlPolicy.Default.Name}\" and \"{SqlPolicy.D1.Name}\".");
    }

    private static int PageSize(DatabaseOptions options)
    {
        var size = options.PageSize == 0 ? 4096 : options.PageSize;
        return size is >= 512 and <= 65536 && (size & (size - 1)) == 0
            ? (int)size
            : throw new RequestException(ErrorCodes.InvalidRequest, $"A page size of {size} bytes is not possible: a power of two from 512 to 65536 is wanted.");
    }

    private static void RefuseWhatIsNotBuilt(DatabaseOptions options)
    {
        if (options.Followers > 1 || options.Quorum > 1)
        {
            throw new RpcException(StatusCode.Unimplemented, "More than one durability follower is part of the contract, but this version does not have it yet.");
        }

        if (options.Retention is not null)
        {
            throw new RpcException(StatusCode.Unimplemented, "Retention is part of the contract, but this version does not have it yet.");
        }
    }
}
