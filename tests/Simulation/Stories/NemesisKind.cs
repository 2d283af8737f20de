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

    /// <summary>Two leaderships that do not hear each other, and a follower between them that restarts.</summary>
    Overlap,

    /// <summary>A change of the set, in the middle of which the leader and the new follower are cut off from the others.</summary>
    ChangeApart,
}
