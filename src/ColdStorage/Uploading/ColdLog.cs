using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>What cold storage tells an operator. Event ids 4700 to 4799.</summary>
internal static partial class ColdLog
{
    [LoggerMessage(4701, LogLevel.Warning, "The log of {Database} could not be brought to cold storage; it is tried again, and kept until then")]
    public static partial void UploadFailed(ILogger logger, DatabaseId database, Exception reason);

    [LoggerMessage(4702, LogLevel.Debug, "The log of {Database} is in cold storage up to {Position}: a segment of {Entries} entries, {Bytes} bytes")]
    public static partial void SegmentStored(ILogger logger, DatabaseId database, Position position, int entries, long bytes);

    [LoggerMessage(4703, LogLevel.Information, "A snapshot of {Database} is in cold storage: {From} to {To}, {Bytes} bytes")]
    public static partial void SnapshotStored(ILogger logger, DatabaseId database, Position from, Position to, long bytes);

    [LoggerMessage(4704, LogLevel.Warning, "The object {Name} of {Database} cannot be read; its log goes on in cold storage behind an older one, and what needs this one cannot be restored")]
    public static partial void ObjectPassedOver(ILogger logger, DatabaseId database, string name, Exception reason);
}
