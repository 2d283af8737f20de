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
}
