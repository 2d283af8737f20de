namespace ReplicatedSqlite.Cluster;

/// <summary>The activation of one database's primary or replica on one node. It knows nothing of what activates it.</summary>
public interface IGrain : IAsyncDisposable
{
    /// <summary>It cannot go on (its disk failed, its leadership is lost): it answers nobody any more and should be let go.</summary>
    bool HasFailed { get; }

    /// <summary>Ends what would keep it in use without end, such as the streams that it serves. Calls that are under way go on.</summary>
    void BeginStop();

    /// <summary>Ends the calls under way too, each with an answer that says try again: its file or its role goes to somebody else. Comes after <see cref="BeginStop"/>.</summary>
    void Abort();
}
