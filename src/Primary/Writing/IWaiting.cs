namespace ReplicatedSqlite.Primary;

/// <summary>Somebody in the writer's queue.</summary>
internal interface IWaiting
{
    /// <summary>When it came; a timestamp.</summary>
    long EnqueuedAt { get; }

    /// <summary>Takes note if its caller gave up.</summary>
    /// <returns>Nobody waits any more.</returns>
    bool HasGivenUp();

    /// <summary>It was not begun.</summary>
    void Refuse(Exception reason);
}
