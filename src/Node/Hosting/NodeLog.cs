using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>What a node tells its operator. Event ids 4000 to 4099.</summary>
internal static partial class NodeLog
{
    [LoggerMessage(4001, LogLevel.Warning, "What is left of the deleted database {Database} could not be removed; it is tried again at the next start")]
    public static partial void RemovalFailed(ILogger logger, DatabaseId database, Exception reason);

    [LoggerMessage(4003, LogLevel.Warning, "The files of the replica of {Database}, which this node keeps no more, could not be removed; it is tried again at the next start")]
    public static partial void ReplicaRemovalFailed(ILogger logger, DatabaseId database, Exception reason);

    [LoggerMessage(4002, LogLevel.Error, "The copy of {Database} could not be opened; the next request tries again")]
    public static partial void OpeningFailed(ILogger logger, DatabaseId database, Exception reason);

    [LoggerMessage(4004, LogLevel.Warning, "What is left of this node's leadership of {Database} could not be closed well")]
    public static partial void StepDownFailed(ILogger logger, DatabaseId database, Exception reason);

    [LoggerMessage(4005, LogLevel.Warning, "This node takes {Database} over: {Reason}")]
    public static partial void TakingOver(ILogger logger, DatabaseId database, string reason);

    [LoggerMessage(4006, LogLevel.Warning, "This node could not take {Database} over: {Reason}")]
    public static partial void TakeoverFailed(ILogger logger, DatabaseId database, string reason);

    [LoggerMessage(4007, LogLevel.Warning, "{Database} has no leader, and {Attempts} attempts to take it over came to nothing; the next request tries again")]
    public static partial void TakeoverGivenUp(ILogger logger, DatabaseId database, int attempts);

    [LoggerMessage(4008, LogLevel.Error, "{Database} is kept here, but the control plane does not know of it: it may have been brought back from an older copy. Nothing was removed")]
    public static partial void UnknownDatabase(ILogger logger, DatabaseId database);

    [LoggerMessage(4009, LogLevel.Information, "{Moved} databases were handed over to other nodes in {Milliseconds:F0} ms; {Left} are left to be taken over")]
    public static partial void HandedOver(ILogger logger, int moved, double milliseconds, int left);

    [LoggerMessage(4010, LogLevel.Warning, "{Database} could not be handed over: {Reason}")]
    public static partial void NotHandedOver(ILogger logger, DatabaseId database, string reason);

    [LoggerMessage(4011, LogLevel.Warning, "{Reason} The node is live and not ready until it does; the next try is in {Pause}")]
    public static partial void ControlPlaneAway(ILogger logger, string reason, TimeSpan pause);

    [LoggerMessage(4020, LogLevel.Information, "The log of {Database} has {Bytes} bytes here, more than {Bound}: the copy on this node is brought up to date, so that the log may be trimmed")]
    public static partial void LogIsLong(ILogger logger, DatabaseId database, long bytes, long bound);

    [LoggerMessage(4025, LogLevel.Information, "The log of {Database} begins here behind what this node's copy holds, if it has one: the copy is brought up to date, so that this node alone could go on")]
    public static partial void CopyIsWanted(ILogger logger, DatabaseId database);

    [LoggerMessage(4021, LogLevel.Warning, "The copy of {Database} on this node could not be brought up to date, which its log needs; it is tried again: {Reason}")]
    public static partial void LogStaysLong(ILogger logger, DatabaseId database, string reason);

    [LoggerMessage(4022, LogLevel.Warning, "Follower {Journal} of {Database}, on node {Node}, is replaced: {Reason}")]
    public static partial void ReplacingFollower(ILogger logger, DatabaseId database, Guid journal, string node, string reason);

    [LoggerMessage(4023, LogLevel.Warning, "A lost follower of {Database} could not be replaced: {Reason} The next try is in {Pause}")]
    public static partial void FollowerNotReplaced(ILogger logger, DatabaseId database, string reason, TimeSpan pause);

    [LoggerMessage(4024, LogLevel.Warning, "{Count} databases that this node leads have lost followers and keep them for now, {Database} among them: no other node may have the place, or too few followers answer to decide it")]
    public static partial void LostFollowersKept(ILogger logger, int count, DatabaseId database);

    [LoggerMessage(4031, LogLevel.Information, "{Count} objects of {Database}, older than its retention, were removed from cold storage")]
    public static partial void Collected(ILogger logger, DatabaseId database, int count);

    [LoggerMessage(4032, LogLevel.Warning, "Cold storage of {Database} could not be looked through for what is older than its retention; it is tried again tomorrow: {Reason}")]
    public static partial void NotCollected(ILogger logger, DatabaseId database, string reason);

    [LoggerMessage(4033, LogLevel.Information, "The deleted database {Database}, '{Name}', is gone from cold storage: its time of grace is over")]
    public static partial void DeletedRemoved(ILogger logger, DatabaseId database, string name);

    [LoggerMessage(4034, LogLevel.Warning, "Deleted databases could not be removed from cold storage; it is tried again tomorrow: {Reason}")]
    public static partial void DeletedNotRemoved(ILogger logger, string reason);

    [LoggerMessage(4035, LogLevel.Warning, "The replica of {Database} could not be built from cold storage; its primary is asked for a snapshot: {Reason}")]
    public static partial void NotBooted(ILogger logger, DatabaseId database, string reason);

    [LoggerMessage(4030, LogLevel.Warning, "The name and settings of {Database} could not be brought to cold storage; they go there with what it is written next: {Reason}")]
    public static partial void RecordNotKept(ILogger logger, DatabaseId database, string reason);
}
