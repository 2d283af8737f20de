namespace ReplicatedSqlite.Simulation;

/// <summary>What can be done to a cluster.</summary>
internal enum NemesisKind
{
    KillProcess,
    CutPower,
    CutPowerEverywhere,
    PauseProcess,
    PauseLeader,
    BlockOneWay,
    Isolate,
    IsolateLeader,
    Split,
    FailSync,
    SlowDisk,
    EmptyDisk,
    ChangeSet,
    TakeOver,
    Move,
    Release,
    RollBackControl,
    LoseControl,
    Trim,
    Checkpoint,
    RestartReplica,

    /// <summary>The leader is cut off or paused, others restart, and one of them takes over at once.</summary>
    Depose,

    /// <summary>A follower's process dies and comes back, then its power fails, and the leader goes.</summary>
    KillTwice,
}
