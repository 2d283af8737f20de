namespace ReplicatedSqlite.Cluster;

/// <summary>Knows which nodes answer.</summary>
internal interface INodeSilence
{
    /// <summary>It owes an answer for too long, or cannot be reached.</summary>
    bool IsSilent(string nodeId);

    /// <summary>Cancelled when the node becomes silent; another one after it has answered again.</summary>
    CancellationToken SilenceOf(string nodeId);
}
