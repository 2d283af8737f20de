namespace ReplicatedSqlite.Sqlite;

/// <summary>Where a request stands.</summary>
public enum RequestStage
{
    /// <summary>It waits for the writer, a connection or a thread, or is just on its way there.</summary>
    Queued,

    /// <summary>The copy has not reached its bookmark yet.</summary>
    WaitingForBookmark,

    /// <summary>SQLite is at it, or its rows are being sent.</summary>
    Running,

    /// <summary>It has run; what it did or saw is not confirmed by a quorum yet.</summary>
    WaitingForQuorum,

    /// <summary>Another node carries it out.</summary>
    Forwarded,

    /// <summary>An interactive transaction whose client says nothing.</summary>
    Idle,
}

/// <summary>Lets others look at a request while it is carried out: whoever does so says where it stands, any thread may read.</summary>
public class RequestProgress
{
    private volatile RequestStage _stage;

    /// <summary>Where it stands.</summary>
    public virtual RequestStage Stage
    {
        get => _stage;
        set => _stage = value;
    }
}
