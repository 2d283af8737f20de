namespace ReplicatedSqlite.Cluster;

/// <summary>The control plane does not answer, and nothing is remembered of it. It may answer later.</summary>
public sealed class ControlPlaneAwayException(string message, Exception? inner = null) : InvalidOperationException(message, inner);
