namespace ReplicatedSqlite.Cluster;

/// <summary>The node that a call was passed on to answers nothing any more, and another leads. What became of the call is not known.</summary>
internal sealed class PrimaryLostException(string nodeId) : Exception($"Node {nodeId}, which led, is silent, and another leads now.");
