namespace ReplicatedSqlite.Bench.Harness;

// The control channel: the harness writes a command in a line, the server answers with one line of JSON.

/// <summary>What the harness may ask for.</summary>
internal static class ControlCommand
{
    public const string Usage = "usage";
    public const string ResetLag = "reset-lag";
    public const string Lag = "lag";
    public const string Groups = "groups";
}

/// <summary>The first line: where the servers listen.</summary>
/// <param name="BareEcho">Kestrel alone.</param>
/// <param name="Echo">Our gRPC.</param>
/// <param name="Gzip">Our gRPC, with rows in gzip for those who take it.</param>
/// <param name="Nodes">The cluster's nodes in the order of the regions.</param>
internal sealed record ServerReady(Uri BareEcho, Uri Echo, Uri Gzip, IReadOnlyList<ServerNode> Nodes);

/// <summary>A node of the cluster.</summary>
internal sealed record ServerNode(string Region, Uri Grpc);

/// <summary>What the server process has used since it began (getrusage), and the memory that it has now.</summary>
internal sealed record ProcessUsage(double CpuMicroseconds, long AllocatedBytes, long WorkingSetBytes);

/// <summary>The confirm lag that a region's replica recorded since the last reset.</summary>
internal sealed record LagSummary(string Region, long Count, double P50Ms, double P99Ms, double MeanMs);
