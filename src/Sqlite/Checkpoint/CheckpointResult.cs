namespace ReplicatedSqlite.Sqlite;

/// <summary>How far a checkpoint came.</summary>
/// <param name="FramesInWal">Visible frames in the WAL.</param>
/// <param name="FramesBackfilled">Of these, how many are behind the checkpoint's end.</param>
public readonly record struct CheckpointResult(int FramesInWal, int FramesBackfilled)
{
    /// <summary>The main file holds everything that is visible. Only then did the sidecar's <c>from</c> move.</summary>
    public bool IsComplete => FramesInWal == FramesBackfilled;
}
