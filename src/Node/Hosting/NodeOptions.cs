using System.Net;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Replica;
using ReplicatedSqlite.Router;

namespace ReplicatedSqlite.Node;

/// <summary>One node: where it stands, listens and keeps its files.</summary>
public sealed record NodeOptions
{
    /// <summary>Its region, e.g. <c>weur</c>.</summary>
    public required string Region { get; init; }

    /// <summary>Its folder, for it alone.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Port of queries, administration and the nodes among themselves; 0 for any.</summary>
    public int GrpcPort { get; init; }

    /// <summary>Port of health checks; 0 for any.</summary>
    public int HttpPort { get; init; }

    /// <summary>Loopback only, until there are tokens and TLS.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>A grain that nobody uses for so long is let go. Default 60 s.</summary>
    public TimeSpan GrainIdle { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest time that calls under way are given when the node stops. Default 5 s.</summary>
    public TimeSpan StopPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Limits of connections to the gRPC port.</summary>
    public GrpcConnectionLimits Connections { get; init; } = new();

    /// <summary>Limits of messages, and from which size answers are compressed.</summary>
    public GrpcServerOptions Grpc { get; init; } = new();

    /// <summary>Runs with a SQLite that has the WAL-reset race. Default off.</summary>
    public bool AllowUnfixedSqlite { get; init; }

    /// <summary>What the journal writes to. Tests put a disk there that fails.</summary>
    public IJournalDisk JournalDisk { get; init; } = new FileSystemDisk();

    /// <summary>Settings of primaries.</summary>
    public PrimaryOptions Primary { get; init; } = new();

    /// <summary>Settings of replicas.</summary>
    public ReplicaOptions Replica { get; init; } = new();

    /// <summary>Changes the connections by which this node passes queries on to others, for example for a proxy.</summary>
    public Action<SocketsHttpHandler>? ConfigureForwarding { get; init; }

    /// <summary>Limits of the query service.</summary>
    public RouterOptions Router { get; init; } = new();
}
