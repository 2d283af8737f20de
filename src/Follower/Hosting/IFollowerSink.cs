using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Follower;

/// <summary>Where the answers on one leader's stream go. Called under a lock: it only puts them somewhere.</summary>
internal interface IFollowerSink
{
    /// <summary>Takes an answer.</summary>
    void Reply(FollowerMessage message);

    /// <summary>The follower ends the stream.</summary>
    void End(string reason);
}
