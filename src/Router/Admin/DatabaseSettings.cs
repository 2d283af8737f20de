using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Router;

/// <summary>What a caller may ask of a database, at its creation or later: each part checked, in the form of the catalogue.</summary>
internal sealed class DatabaseSettings(IControlPlane control)
{
    private const int DefaultPageSizeBytes = 4096;

    private static readonly TimeSpan _leastRetention = TimeSpan.FromHours(1);
    private static readonly TimeSpan _mostRetention = TimeSpan.FromDays(36_500);

    /// <summary>A region with a node.</summary>
    public string Region(string region) => control.Nodes.Any(node => node.Region == region)
        ? region
        : throw Invalid($"There is no region '{region}'. The regions are {string.Join(", ", control.Nodes.Select(node => node.Region).Distinct())}.");

    /// <summary>Whether there are replicas; <paramref name="old"/> when the caller does not say.</summary>
    public static bool Replicated(ReplicationMode mode, RegionList? regions, bool old) => mode switch
    {
        ReplicationMode.Unspecified => old,
        ReplicationMode.Auto => true,
        ReplicationMode.Disabled when regions is { Regions.Count: > 0 } =>
            throw Invalid($"Replicas are wanted in {string.Join(", ", regions.Regions)} and replication is DISABLED: one of the two."),
        ReplicationMode.Disabled => false,
        _ => throw Invalid($"There is no replication mode {(int)mode}: AUTO ({(int)ReplicationMode.Auto}) or DISABLED ({(int)ReplicationMode.Disabled}) is wanted."),
    };

    /// <summary>The regions with replicas; <paramref name="old"/> when the caller names no list. One that was named before may be named again while its node is away.</summary>
    public ImmutableArray<string> ReplicaRegions(RegionList? regions, ImmutableArray<string> old)
    {
        if (regions is null)
        {
            return old;
        }

        ImmutableArray<string> wanted = [.. regions.Regions.Select(region => old.Contains(region) ? region : Region(region)).Distinct()];
        return wanted.SequenceEqual(old) ? old : wanted; // so that records compare equal
    }

    /// <summary>A profile; <paramref name="old"/> when the caller names none.</summary>
    public static string Profile(DatabaseOptions options, string old)
    {
        var profile = options.Profile.Length == 0 ? old : options.Profile;
        return SqlPolicy.Find(profile) is not null
            ? profile
            : throw Invalid($"There is no profile '{profile}'. The profiles are \"{SqlPolicy.Default.Name}\" and \"{SqlPolicy.D1.Name}\".");
    }

    /// <summary>A page size, at creation.</summary>
    public static int PageSizeBytes(DatabaseOptions options)
    {
        var size = options.PageSize == 0 ? DefaultPageSizeBytes : options.PageSize;
        return size is >= 512 and <= 65536 && (size & (size - 1)) == 0
            ? (int)size
            : throw Invalid($"A page size of {size} bytes is not possible: a power of two from 512 to 65536 is wanted.");
    }

    /// <summary>Later on the page size can only be what it is.</summary>
    public static void RefuseOtherPageSize(DatabaseOptions options, int pageSizeBytes)
    {
        if (options.PageSize != 0 && options.PageSize != pageSizeBytes)
        {
            throw Invalid($"The page size is {pageSizeBytes} bytes since the database was created, and cannot become {options.PageSize}. Copy the data into a new database.");
        }
    }

    /// <summary>How long every state can be gone back to; the old one when the caller names none. Nothing at all: as the cluster does.</summary>
    public static TimeSpan? Retention(DatabaseOptions options, TimeSpan? old)
    {
        if (options.Retention is not { } asked)
        {
            return old;
        }

        var retention = Durations.Read(asked, "retention");
        return retention == TimeSpan.Zero ? null
            : retention >= _leastRetention && retention <= _mostRetention ? retention
            : throw Invalid($"A retention of {retention} is not possible: from {_leastRetention.TotalHours:0} hour to {_mostRetention.TotalDays:0} days, or nothing for the cluster's.");
    }

    /// <summary>Followers and quorum; the old ones when the caller names none.</summary>
    public static (int? Followers, int? Quorum) Durability(DatabaseOptions options, int? oldFollowers, int? oldQuorum)
    {
        var followers = options.HasFollowers ? (int)Math.Min(options.Followers, int.MaxValue) : oldFollowers;
        var quorum = options.HasQuorum ? (int)Math.Min(options.Quorum, int.MaxValue) : options.HasFollowers ? null : oldQuorum;
        FollowerPlacement.Check(followers, quorum);
        return (followers, quorum);
    }

    private static RequestException Invalid(string message) => new(ErrorCodes.InvalidRequest, message + " Nothing was done.");
}
