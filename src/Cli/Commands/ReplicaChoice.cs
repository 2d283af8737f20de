using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cli;

/// <summary>The words for where replicas are: <c>all</c>, <c>none</c>, or regions with commas between.</summary>
internal static class ReplicaChoice
{
    public static (ReplicationMode Mode, RegionList? Regions) Parse(string text) => text switch
    {
        "all" => (ReplicationMode.Auto, new RegionList()),
        "none" => (ReplicationMode.Disabled, null),
        _ => (ReplicationMode.Auto, new RegionList { Regions = { text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) } }),
    };

    public static string Describe(Database database) => database.Replication == ReplicationMode.Disabled ? "no replicas"
        : database.ReplicaRegions.Count == 0 ? "replicas in all regions"
        : "replicas in " + string.Join(", ", database.ReplicaRegions);
}
