namespace ReplicatedSqlite.Follower;

/// <summary>What a follower notices of a database's leaders.</summary>
public enum LeaderNews
{
    /// <summary>A leader's stream is there.</summary>
    Heard,

    /// <summary>It went.</summary>
    Lost,

    /// <summary>The leader let an idle grain go, which is no loss.</summary>
    Released,
}
