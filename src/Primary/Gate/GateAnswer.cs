namespace ReplicatedSqlite.Primary;

/// <summary>What the gate says to an answer that wants to leave.</summary>
internal enum GateAnswer
{
    /// <summary>It may go at once.</summary>
    Pass,

    /// <summary>It waits; its token will pass or fail later.</summary>
    Held,

    /// <summary>What it was computed from can no longer be confirmed here.</summary>
    Lost,
}
