namespace ReplicatedSqlite.Node;

/// <summary>What a node tells about its certificates. Event ids 4050 to 4059.</summary>
internal static partial class TlsLog
{
    [LoggerMessage(4050, LogLevel.Information, "The certificates have changed ('{File}'); new connections use them. They expire at {ExpiresAt:u}")]
    public static partial void Changed(ILogger logger, string file, DateTimeOffset expiresAt);

    [LoggerMessage(4051, LogLevel.Error, "The certificates have changed and cannot be used; those before go on being used, until {ExpiresAt:u}. {Reason}")]
    public static partial void Broken(ILogger logger, string reason, DateTimeOffset expiresAt);

    [LoggerMessage(4052, LogLevel.Warning, "The certificate in '{File}', or the one for other nodes, expires at {ExpiresAt:u}. Put a new one there; no restart is needed")]
    public static partial void Ending(ILogger logger, string file, DateTimeOffset expiresAt);
}
