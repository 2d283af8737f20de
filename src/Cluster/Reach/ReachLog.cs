using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.Cluster;

/// <summary>What the pings tell an operator. Event ids 4401 to 4419.</summary>
internal static partial class ReachLog
{
    [LoggerMessage(4401, LogLevel.Information, "Node {NodeId} in {Region} does not answer; calls that can go elsewhere do")]
    public static partial void Silent(ILogger logger, string nodeId, string region);

    [LoggerMessage(4402, LogLevel.Information, "Node {NodeId} in {Region} answers again, in {Milliseconds:F1} ms")]
    public static partial void Heard(ILogger logger, string nodeId, string region, double milliseconds);
}
