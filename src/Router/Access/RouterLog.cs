using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Router;

/// <summary>What the services tell the operator. Event ids 5000 to 5099. Never a token's secret: its id says which it is.</summary>
internal static partial class RouterLog
{
    [LoggerMessage(5001, LogLevel.Warning, "Refused {Method} to {Peer}: {Code} (token {TokenId})")]
    public static partial void Refused(ILogger logger, string method, string peer, string code, string tokenId);

    [LoggerMessage(5002, LogLevel.Warning, "{Count} more calls were refused and not told of")]
    public static partial void RefusedMore(ILogger logger, int count);

    [LoggerMessage(5003, LogLevel.Information, "The token {TokenId} was created, for {Right} on {Databases} databases, by {Caller}")]
    public static partial void TokenCreated(ILogger logger, string tokenId, string right, string databases, string caller);

    [LoggerMessage(5004, LogLevel.Information, "The token {TokenId} was revoked by {Caller}")]
    public static partial void TokenRevoked(ILogger logger, string tokenId, string caller);

    [LoggerMessage(5005, LogLevel.Warning, "When tokens were last used could not be noted; it is of no other consequence")]
    public static partial void UseNotNoted(ILogger logger, Exception reason);

    [LoggerMessage(5006, LogLevel.Warning, "{Database} is deleted although what was written last may not be in cold storage, so that undeleting it may not bring that back: {Reason}")]
    public static partial void DeletedWithoutNewest(ILogger logger, DatabaseId database, string reason);

    [LoggerMessage(5007, LogLevel.Warning, "Cold storage could not be told that {Database} was deleted: {Reason}")]
    public static partial void DeletionNotMarked(ILogger logger, DatabaseId database, string reason);
}
