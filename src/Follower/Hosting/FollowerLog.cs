using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

/// <summary>What a node's follower tells its operator. Event ids 4200 to 4299.</summary>
internal static partial class FollowerLog
{
    [LoggerMessage(4201, LogLevel.Critical, "This node keeps no log durable: {Reason} Its replicas go on. To bring it back, stop the node, move {Folder} away, and start it: it then has a new, empty journal, and takes part again where databases name that one as a follower")]
    public static partial void NoMember(ILogger logger, string reason, string folder);

    [LoggerMessage(4202, LogLevel.Warning, "The journal is {Found}, but this node's was {Known}: the folder was emptied or replaced. What the old one held counts for nothing any more; databases that name it must replace it by the new one")]
    public static partial void OtherJournal(ILogger logger, Guid found, Guid known);

    [LoggerMessage(4203, LogLevel.Error, "The journal failed; all streams are closed, and it is opened again as after a crash")]
    public static partial void JournalFailed(ILogger logger, Exception reason);

    [LoggerMessage(4204, LogLevel.Warning, "The journal could not be opened again (try {Attempt}); the next try is in {Pause}")]
    public static partial void ReopenFailed(ILogger logger, int attempt, TimeSpan pause, Exception reason);

    [LoggerMessage(4205, LogLevel.Information, "The journal is open again")]
    public static partial void Reopened(ILogger logger);

    [LoggerMessage(4206, LogLevel.Critical, "The follower of {Database} stopped for good: {Reason}")]
    public static partial void Diverged(ILogger logger, DatabaseId database, string reason);

    [LoggerMessage(4207, LogLevel.Warning, "The follower of {Database} begins anew from what is on disk: {Reason}")]
    public static partial void Restarted(ILogger logger, DatabaseId database, string reason);

    [LoggerMessage(4208, LogLevel.Error, "What this node's follower of {Database} found out about its leader ({News}) could not be acted on; another node takes it over if that is needed")]
    public static partial void NewsFailed(ILogger logger, DatabaseId database, LeaderNews news, Exception reason);

    [LoggerMessage(4209, LogLevel.Critical, "A record of {Database} in this node's journal is damaged: {Reason} Who needs it is told so and asks other nodes, and this node goes on; it will not open this journal again. While the other followers are well: stop this node, move {Folder} away, and start it")]
    public static partial void DamageMet(ILogger logger, DatabaseId database, string reason, string folder);
}
