using System.Net;
using ReplicatedSqlite.D1Api;
using ReplicatedSqlite.Cluster;
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

    /// <summary>What fails together with it within the region; empty when the region is one zone.</summary>
    public string Zone { get; init; } = "";

    /// <summary>Its name for the others; <see langword="null"/>: the folder's, made up at the first start.</summary>
    public string? NodeId { get; init; }

    /// <summary>What it takes on. Default: everything.</summary>
    public NodeRoles Roles { get; init; } = NodeRoles.All;

    /// <summary>Its folder, for it alone.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Port of queries, administration and the nodes among themselves; 0 for any.</summary>
    public int GrpcPort { get; init; }

    /// <summary>Port of health checks; 0 for any.</summary>
    public int HttpPort { get; init; }

    /// <summary>Where it listens. Beyond loopback only with <see cref="Tls"/>, or with <see cref="AllowPlaintextBeyondLoopback"/>.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>How the others reach the gRPC port; <see langword="null"/>: by the address that it listens on.</summary>
    public Uri? AdvertisedGrpc { get; init; }

    /// <summary>The same for the HTTP port.</summary>
    public Uri? AdvertisedHttp { get; init; }

    /// <summary>Encryption of both ports and of what nodes say to each other. Unset: none.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>
    /// Listens beyond loopback without TLS. For tests and for networks that nobody else reaches: whoever can read along there has every token, and with the nodes' key the cluster. Clients
    /// from other machines need tokens all the same. Default off.
    /// </summary>
    public bool AllowPlaintextBeyondLoopback { get; init; }

    /// <summary>Of the addresses at which it is reached: <c>http</c> or <c>https</c>.</summary>
    internal string Scheme => Tls is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps;

    /// <summary>A grain that nobody uses for so long is let go. Default 60 s.</summary>
    public TimeSpan GrainIdle { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest time to hand the databases that it leads over to other nodes, before it stops. Default 10 s; zero hands nothing over.</summary>
    public TimeSpan HandOverPatience { get; init; } = TimeSpan.FromSeconds(10);

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

    /// <summary>Where logs and snapshots are kept for good, the same for all nodes; <see langword="null"/>: nowhere.</summary>
    public ColdStorageOptions? ColdStorage { get; init; }

    /// <summary>A follower whose node is away for so long is replaced by another node. One whose journal is damaged, emptied or another by now is replaced at once. Default 10 min.</summary>
    public TimeSpan FollowerReplaceAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Bytes of a database's log on a follower's node above which the node keeps a copy of the database up to date, so that the log may be trimmed to it. Default 64 MiB.</summary>
    public long LongLogBytes { get; init; } = 64L << 20;

    /// <summary>Settings of primaries.</summary>
    public PrimaryOptions Primary { get; init; } = new();

    /// <summary>When a primary is taken for lost.</summary>
    public HealthTimes Health { get; init; } = HealthTimes.Default;

    /// <summary>Settings of replicas.</summary>
    public ReplicaOptions Replica { get; init; } = new();

    /// <summary>Changes the connections by which this node passes queries on to others, for example for a proxy.</summary>
    public Action<SocketsHttpHandler>? ConfigureForwarding { get; init; }

    /// <summary>Settings of the HTTP API that D1's clients speak.</summary>
    public D1ApiOptions D1Api { get; init; } = new();

    /// <summary>Limits of the query service.</summary>
    public RouterOptions Router { get; init; } = new();
}
