using System.Net;
using System.Text.Json.Serialization;

namespace ReplicatedSqlite.Bench.Harness;

// The control channel: the harness writes a command in a line, the server answers with one line of JSON.

/// <summary>What the harness may ask for.</summary>
internal static class ControlCommand
{
    public const string Usage = "usage";
    public const string ResetLag = "reset-lag";
    public const string Lag = "lag";
    public const string Groups = "groups";
    public const string Snapshots = "snapshots";
    public const string StopNode = "stop-node"; // and its place
    public const string StartNode = "start-node";
}

/// <summary>The first line: where the servers listen.</summary>
/// <param name="BareEcho">Kestrel alone.</param>
/// <param name="Echo">Our gRPC.</param>
/// <param name="Gzip">Our gRPC, with rows in gzip for those who take it.</param>
/// <param name="TripAddress">Where bytes come back on a bare socket.</param>
/// <param name="TripPort">Its port.</param>
/// <param name="Nodes">The cluster's nodes in the order of the regions.</param>
internal sealed record ServerReady(Uri BareEcho, Uri Echo, Uri Gzip, string TripAddress, int TripPort, IReadOnlyList<ServerNode> Nodes)
{
    /// <summary>Where bytes come back on a bare socket.</summary>
    [JsonIgnore]
    public IPEndPoint Trip => new(IPAddress.Parse(TripAddress), TripPort);
}

/// <summary>A node of the cluster.</summary>
/// <param name="Region">Where it stands.</param>
/// <param name="Grpc">Where clients of its own machine or region reach it.</param>
/// <param name="Id">As the others know it.</param>
internal sealed record ServerNode(string Region, Uri Grpc, string Id);

/// <summary>What the server process has used since it began (getrusage), and the memory that it has now.</summary>
internal sealed record ProcessUsage(double CpuMicroseconds, long AllocatedBytes, long WorkingSetBytes);

/// <summary>The confirm lag that a region's replica recorded since the last reset.</summary>
/// <param name="Timeline">Second by second: when it began, and the median and the 99th percentile in it.</param>
internal sealed record LagSummary(string Region, long Count, double P50Ms, double P99Ms, double MeanMs, IReadOnlyList<double[]> Timeline);
