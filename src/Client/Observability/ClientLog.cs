using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite;

/// <summary>What the client logs, in the category <c>ReplicatedSqlite.Client</c>: operations at Debug, repeated attempts at Information. Never SQL or values.</summary>
internal sealed partial class ClientLog
{
    private readonly ILogger _logger;

    private ClientLog(ILogger logger) => _logger = logger;

    public bool IsOn => _logger.IsEnabled(LogLevel.Debug);

    public static ClientLog? From(ILoggerFactory? factory) => factory is null ? null : new ClientLog(factory.CreateLogger("ReplicatedSqlite.Client"));

    public void Ended(string database, string operation, TimeSpan elapsed, string? error)
    {
        if (error is null) Done(_logger, operation, database, elapsed.TotalMilliseconds);
        else Failed(_logger, operation, database, elapsed.TotalMilliseconds, error);
    }

    public void Retrying(Uri node, string error, TimeSpan pause) => Again(_logger, node, error, pause.TotalMilliseconds);

    [LoggerMessage(8001, LogLevel.Debug, "{Operation} on {Database} took {ElapsedMs} ms")]
    private static partial void Done(ILogger logger, string operation, string database, double elapsedMs);

    [LoggerMessage(8002, LogLevel.Debug, "{Operation} on {Database} failed after {ElapsedMs} ms with {Error}")]
    private static partial void Failed(ILogger logger, string operation, string database, double elapsedMs, string error);

    [LoggerMessage(8003, LogLevel.Information, "A call to {Node} ended with {Error}; it is made again in {PauseMs} ms")]
    private static partial void Again(ILogger logger, Uri node, string error, double pauseMs);
}
