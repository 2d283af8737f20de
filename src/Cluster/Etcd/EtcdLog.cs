using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>What the etcd control plane tells an operator. Event ids 4300 to 4349.</summary>
internal static partial class EtcdLog
{
    [LoggerMessage(4300, LogLevel.Information, "The catalogue of cluster {Cluster} was loaded from etcd at revision {Revision}: {Databases} databases in {Milliseconds:F0} ms")]
    public static partial void Loaded(ILogger logger, string cluster, long revision, int databases, double milliseconds);

    [LoggerMessage(4301, LogLevel.Warning, "etcd cannot be reached: {Reason} Databases that are led go on; nothing is elected, created or changed until it is back")]
    public static partial void Away(ILogger logger, string reason);

    [LoggerMessage(4302, LogLevel.Information, "etcd is back")]
    public static partial void Back(ILogger logger);

    [LoggerMessage(4303, LogLevel.Critical, "etcd is not used: {Reason}")]
    public static partial void Distrusted(ILogger logger, string reason);

    [LoggerMessage(4304, LogLevel.Warning, "The watch of the catalogue is opened again: {Reason}")]
    public static partial void WatchReopened(ILogger logger, string reason);

    [LoggerMessage(4305, LogLevel.Warning, "This node's lease in etcd ended ({Reason}); it registers again")]
    public static partial void LeaseEnded(ILogger logger, string reason);

    [LoggerMessage(4306, LogLevel.Error, "This node could not register in etcd; it is tried again: {Reason}")]
    public static partial void NotRegistered(ILogger logger, string reason);

    [LoggerMessage(4307, LogLevel.Error, "The record of {Database} is gone from etcd, and nothing says that it was deleted. It cannot be reached any more; nothing of it is removed")]
    public static partial void RecordGone(ILogger logger, DatabaseId database);

    [LoggerMessage(4308, LogLevel.Error, "What etcd holds under {Key} cannot be read, and is left out: {Reason}")]
    public static partial void Unreadable(ILogger logger, string key, string reason);

    [LoggerMessage(4309, LogLevel.Warning, "What was seen in etcd could not be written into this node's folder; it is tried again")]
    public static partial void NotRemembered(ILogger logger, Exception reason);

    [LoggerMessage(4310, LogLevel.Error, "Following etcd failed; it is begun again")]
    public static partial void Failed(ILogger logger, Exception reason);

    [LoggerMessage(4311, LogLevel.Warning, "An etcd that was wiped or brought back is accepted as generation {Generation} of cluster {Cluster}")]
    public static partial void Accepted(ILogger logger, long generation, string cluster);

    [LoggerMessage(4312, LogLevel.Warning, "etcd was told what this node remembers: {Created} databases that it did not have, {Changed} of which it had older records, {Deleted} that were deleted, {Renamed} under other names since theirs are taken")]
    public static partial void Told(ILogger logger, int created, int changed, int deleted, int renamed);
}
