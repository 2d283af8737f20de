using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.D1Api;

internal static partial class D1Log
{
    [LoggerMessage(EventId = 6001, Level = LogLevel.Error, Message = "The HTTP API could not answer {Path}")]
    public static partial void Unexpected(ILogger logger, string path, Exception failure);
}
