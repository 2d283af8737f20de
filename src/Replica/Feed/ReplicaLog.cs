using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica;

/// <summary>What a replica tells its operator. Event ids 3000 to 3099.</summary>
internal static partial class ReplicaLog
{
    [LoggerMessage(3001, LogLevel.Information, "The replica of {Database} follows {Node} from {Position}")]
    public static partial void Following(ILogger logger, DatabaseId database, string node, Position position);

    [LoggerMessage(3002, LogLevel.Information, "The replica of {Database} lost its stream ({Reason}); it subscribes again in {Pause}")]
    public static partial void Lost(ILogger logger, DatabaseId database, string reason, TimeSpan pause);

    [LoggerMessage(3003, LogLevel.Information, "The replica of {Database} was built from a snapshot at {Position}, {SizeBytes} bytes")]
    public static partial void Installed(ILogger logger, DatabaseId database, Position position, long sizeBytes);

    [LoggerMessage(3004, LogLevel.Warning, "The copy of {Database} is damaged and is built again from a snapshot: {Reason}")]
    public static partial void Damaged(ILogger logger, DatabaseId database, string reason);

    [LoggerMessage(3005, LogLevel.Error, "The copy of {Database} holds confirmed entries up to {Position} that its primary does not have; it is built again from a snapshot")]
    public static partial void Diverged(ILogger logger, DatabaseId database, Position position);

    [LoggerMessage(3008, LogLevel.Error, "The copy of {Database} has diverged from the log and is built again from a snapshot: {Reason}")]
    public static partial void Mismatch(ILogger logger, DatabaseId database, string reason);

    [LoggerMessage(3009, LogLevel.Error, "The entry at {Position} could not be applied to the copy of {Database}, which is built again from a snapshot")]
    public static partial void NotApplied(ILogger logger, DatabaseId database, Position position, Exception reason);

    [LoggerMessage(3010, LogLevel.Error, "The replica of {Database} has failed several times and is left alone for {Pause}, its readers go to the primary: {Reason}")]
    public static partial void LeftAlone(ILogger logger, DatabaseId database, TimeSpan pause, string reason);

    [LoggerMessage(3006, LogLevel.Error, "The replica of {Database} stopped")]
    public static partial void Stopped(ILogger logger, DatabaseId database, Exception reason);

    [LoggerMessage(3007, LogLevel.Information, "The WAL of {Database} was restarted; reads were held back for {HeldMs:F1} ms")]
    public static partial void WalRestarted(ILogger logger, DatabaseId database, double heldMs);
}
