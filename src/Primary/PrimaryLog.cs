using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>What a primary tells its operator. Event ids 2000 to 2099.</summary>
internal static partial class PrimaryLog
{
    [LoggerMessage(2001, LogLevel.Information, "This node leads {Database} in epoch {Epoch} from {Position}; {Replayed} entries were replayed")]
    public static partial void Leading(ILogger logger, DatabaseId database, uint epoch, Position position, int replayed);

    [LoggerMessage(2002, LogLevel.Error, "The primary of {Database} stopped: nothing is confirmed here any more")]
    public static partial void Stopped(ILogger logger, DatabaseId database, Exception reason);

    [LoggerMessage(2003, LogLevel.Information, "Replica {Node} ({Region}) of {Database} subscribes from {Position}{Snapshot}")]
    public static partial void Subscribed(ILogger logger, string node, string region, DatabaseId database, Position position, string snapshot);

    [LoggerMessage(2004, LogLevel.Information, "The WAL of {Database} was restarted; writes were held back for {HeldMs:F1} ms")]
    public static partial void WalRestarted(ILogger logger, DatabaseId database, double heldMs);

    [LoggerMessage(2005, LogLevel.Warning, "A checkpoint of {Database} failed and is tried again later")]
    public static partial void CheckpointFailed(ILogger logger, DatabaseId database, Exception reason);

    [LoggerMessage(2006, LogLevel.Warning, "Writes of {Database} wait: {Missing}")]
    public static partial void QuorumLost(ILogger logger, DatabaseId database, string missing);

    [LoggerMessage(2007, LogLevel.Information, "Enough followers of {Database} answer")]
    public static partial void QuorumBack(ILogger logger, DatabaseId database);

    [LoggerMessage(2008, LogLevel.Warning, "Epoch {Epoch} of {Database} is over here: {Reason}")]
    public static partial void LeadershipLost(ILogger logger, DatabaseId database, uint epoch, string reason);

    [LoggerMessage(2009, LogLevel.Error, "Follower {Journal} of {Database} contradicts the log and gets no more of it: {Reason}")]
    public static partial void FollowerDiverged(ILogger logger, DatabaseId database, Guid journal, string reason);

    [LoggerMessage(2010, LogLevel.Warning, "The log of {Database} could not be read from follower {Journal}: {Reason}")]
    public static partial void FetchFailed(ILogger logger, DatabaseId database, Guid journal, string reason);

    [LoggerMessage(2030, LogLevel.Warning, "A stream to a follower of {Database} ended badly")]
    public static partial void LinkEndedBadly(ILogger logger, DatabaseId database, Exception reason);

    [LoggerMessage(2011, LogLevel.Warning, "The catalogue could not be told who follows {Database}; the log says it")]
    public static partial void FollowersNotNamed(ILogger logger, DatabaseId database, Exception reason);

    [LoggerMessage(2012, LogLevel.Information, "This node had no copy of {Database} from which the log reaches on, and got one from node {Node}, at {Position}")]
    public static partial void BaseFetched(ILogger logger, DatabaseId database, string node, Position position);

    [LoggerMessage(2014, LogLevel.Information, "Epoch {Epoch} of {Database} was given up here: {Reason}")]
    public static partial void LeadershipGivenUp(ILogger logger, DatabaseId database, uint epoch, string reason);

    [LoggerMessage(2040, LogLevel.Information, "{Database} was brought back to {RestoredTo}, by the entry that ends at {Position}")]
    public static partial void Restored(ILogger logger, DatabaseId database, Position restoredTo, Position position);

    [LoggerMessage(2041, LogLevel.Warning, "The copy of {Database} was built from cold storage, at {Position}: no other node had one")]
    public static partial void BaseBuilt(ILogger logger, DatabaseId database, Position position);

    [LoggerMessage(2015, LogLevel.Warning, "The snapshot of {Database} for {Node} kept the WAL from being restarted, which had grown much too long: {Reason}")]
    public static partial void SnapshotEnded(ILogger logger, string node, DatabaseId database, string reason);
}
