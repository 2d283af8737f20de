using System.Text.Json;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Finds in nodes' logs, one JSON object a line, what docs/logs.md calls never expected, or a defect.</summary>
internal static class NodeLogs
{
    private static readonly HashSet<int> _never = [1101, 2009, 3005, 3008, 4206, 4310, 6001];

    public static bool IsContradiction(string line)
    {
        if (!line.StartsWith('{'))
        {
            return false;
        }

        try
        {
            using var entry = JsonDocument.Parse(line);
            return entry.RootElement.TryGetProperty("EventId", out var id) && _never.Contains(id.GetInt32());
        }
        catch (JsonException)
        {
            return false; // cut off by a kill
        }
    }
}
