using System.Net;
using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Node;

/// <summary>All the settings of a node that is a process of its own. docs/configuration.md is this table.</summary>
internal static class NodeSettings
{
    private static readonly TimeSpan _day = TimeSpan.FromDays(1);
    private static readonly TimeSpan _millisecond = TimeSpan.FromMilliseconds(1);

    public static readonly Setting<string> Region = new("region", "where the node stands", SettingTypes.Name);
    public static readonly Setting<string> Zone = new("zone", "what fails together with it within the region, e.g. a data centre", SettingTypes.Name);
    public static readonly Setting<string> NodeId = new("node_id", "its name for the others; made up at the first start unless it is given", SettingTypes.Name);
    public static readonly Setting<string> Data = new("data", "the folder for everything that it keeps, for it alone", SettingTypes.Text);
    public static readonly Setting<NodeRoles> Roles = new Setting<NodeRoles>("roles", "what it takes on", SettingTypes.Roles).Or(NodeRoles.All);

    public static readonly Setting<IPAddress> ListenAddress = new Setting<IPAddress>("listen.address", "where it listens", SettingTypes.Address).Or(IPAddress.Loopback);
    public static readonly Setting<int> GrpcPort = new Setting<int>("listen.grpc_port", "port of queries, administration and the nodes among themselves", SettingTypes.Port).Or(7101);
    public static readonly Setting<int> HttpPort = new Setting<int>("listen.http_port", "port of health checks, metrics, and the whole HTTP API: data and administration", SettingTypes.Port).Or(7201);
    public static readonly Setting<Uri> AdvertisedGrpc = new("advertise.grpc", "how the others reach the gRPC port; the listening address unless it is given", SettingTypes.NodeAddress);
    public static readonly Setting<Uri> AdvertisedHttp = new("advertise.http", "how the others reach the HTTP port; the listening address unless it is given", SettingTypes.NodeAddress);

    public static readonly Setting<string> TlsCertificate = new("tls.certificate", "PEM file of the certificate that both ports show; without it they are not encrypted", SettingTypes.Text);
    public static readonly Setting<string> TlsKey = new("tls.key", "PEM file of that certificate's key", SettingTypes.Text);
    public static readonly Setting<string> TlsNodeAuthority = new("tls.node_authority", "PEM file of the authorities that sign nodes, and nothing else", SettingTypes.Text);
    public static readonly Setting<string> TlsNodeCertificate = new("tls.node_certificate", "PEM file of what the node shows to others; tls.certificate unless it is given", SettingTypes.Text);
    public static readonly Setting<string> TlsNodeKey = new("tls.node_key", "PEM file of that certificate's key", SettingTypes.Text);
    public static readonly Setting<string> TlsServerAuthority = new("tls.server_authority", "PEM file of the authorities of what other nodes' ports show; tls.node_authority unless it is given", SettingTypes.Text);
    public static readonly Setting<bool> AllowPlaintextBeyondLoopback = new Setting<bool>("allow_plaintext_beyond_loopback", "listen beyond loopback without TLS; for tests and networks that nobody else reaches", SettingTypes.Flag).Or(false);
    public static readonly Setting<bool> RequireTokens = new Setting<bool>("require_tokens", "clients on the node's own machine need a token too", SettingTypes.Flag).Or(false);

    public static readonly Setting<string> Control = new("control", "what holds nodes, catalogue and leadership: etcd, or a file of a single node", SettingTypes.OneOf("etcd", "embedded"));
    public static readonly Setting<string> ControlFile = new("control_file", "the file, where control is embedded; DATA/control.sqlite unless it is given", SettingTypes.Text);
    public static readonly Setting<IReadOnlyList<Uri>> EtcdEndpoints = new("etcd.endpoints", "client addresses of the members of one etcd cluster", SettingTypes.NodeAddresses);
    public static readonly Setting<string> EtcdPrefix = new Setting<string>("etcd.prefix", "before all keys of this cluster", SettingTypes.Text).Or("/replicatedsqlite/");
    public static readonly Setting<string> EtcdUser = new("etcd.user", "the user, where etcd asks for one", SettingTypes.Text);
    public static readonly Setting<string> EtcdPassword = new("etcd.password", "the user's password", SettingTypes.Text) { IsSecret = true };
    public static readonly Setting<string> EtcdPasswordFile = new("etcd.password_file", "a file with the password and nothing else", SettingTypes.Text);
    public static readonly Setting<string> EtcdCaFile = new("etcd.ca_file", "PEM file of the authority of etcd's certificates; the system's authorities unless it is given", SettingTypes.Text);
    public static readonly Setting<string> EtcdCertificateFile = new("etcd.certificate_file", "PEM file of the node's certificate, where etcd asks for one", SettingTypes.Text);
    public static readonly Setting<string> EtcdKeyFile = new("etcd.key_file", "PEM file of that certificate's key", SettingTypes.Text);
    public static readonly Setting<TimeSpan> EtcdLease = new Setting<TimeSpan>("etcd.lease", "after so long without a word of it a node is not alive", SettingTypes.Time(TimeSpan.FromSeconds(3), TimeSpan.FromMinutes(1))).Or(TimeSpan.FromSeconds(5));
    public static readonly Setting<bool> EtcdAcceptRestored = new Setting<bool>("etcd.accept_restored", "go on with an etcd that was wiped or brought back from a backup", SettingTypes.Flag).Or(false);

    public static readonly Setting<string> ColdFolder = new("cold.folder", "a folder that all nodes reach, for logs and snapshots that are kept for good", SettingTypes.Text);
    public static readonly Setting<TimeSpan> ColdRetention = new Setting<TimeSpan>("cold.retention", "how long every state of a database can be gone back to, unless the database says otherwise", SettingTypes.Time(TimeSpan.FromHours(1), TimeSpan.FromDays(36_500))).Or(TimeSpan.FromDays(30));
    public static readonly Setting<TimeSpan> ColdDeletionGrace = new Setting<TimeSpan>("cold.deletion_grace", "how long a deleted database can be undeleted", SettingTypes.Time(TimeSpan.Zero, TimeSpan.FromDays(36_500))).Or(TimeSpan.FromDays(7));
    public static readonly Setting<string> ColdBucket = new("cold.s3.bucket", "a bucket for them, where there is no folder", SettingTypes.Text);
    public static readonly Setting<Uri> ColdEndpoint = new("cold.s3.endpoint", "address of the S3-compatible service; Amazon's unless it is given", SettingTypes.NodeAddress);
    public static readonly Setting<string> ColdRegion = new Setting<string>("cold.s3.region", "the region that requests are signed for", SettingTypes.Text).Or("us-east-1");
    public static readonly Setting<string> ColdAccessKey = new("cold.s3.access_key", "who asks; as the environment says unless it is given", SettingTypes.Text);
    public static readonly Setting<string> ColdSecretKey = new("cold.s3.secret_key", "that key's secret", SettingTypes.Text) { IsSecret = true };
    public static readonly Setting<string> ColdEncryption = new("cold.s3.encryption", "server-side encryption: AES256 or aws:kms; the bucket's own setting unless it is given", SettingTypes.OneOf("AES256", "aws:kms"));

    public static readonly Setting<string> D1Profile = new Setting<string>("d1.profile", "limits and SQL policy of databases that are made over HTTP: D1's, or default", SettingTypes.OneOf("d1", "default")).Or("d1");
    public static readonly Setting<string> D1Account = new("d1.account", "the one account that paths may name; any unless it is given", SettingTypes.Text);
    public static readonly Setting<string> D1CorsOrigins = new("d1.cors_origins", "origins whose pages may call the HTTP API, with commas between; * for any that send a token, none unless it is given", SettingTypes.Text);
    public static readonly Setting<long> D1MaxBody = new Setting<long>("d1.max_body", "largest body of an HTTP request, uploads excluded", SettingTypes.Size(64 << 10, 64 << 20)).Or(16 << 20);
    public static readonly Setting<long> D1MaxUpload = new Setting<long>("d1.max_upload", "largest file of an import over HTTP", SettingTypes.Size(1 << 20, 1L << 40)).Or(5L << 30);
    public static readonly Setting<TimeSpan> D1BodyTime = new Setting<TimeSpan>("d1.body_time", "longest time that the body of an HTTP request may take to arrive", SettingTypes.Time(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10))).Or(TimeSpan.FromSeconds(30));
    public static readonly Setting<TimeSpan> D1QueryTime = new Setting<TimeSpan>("d1.query_time", "longest time that the statements of an HTTP request may run", SettingTypes.Time(_millisecond, TimeSpan.FromHours(1))).Or(TimeSpan.FromSeconds(30));

    public static readonly Setting<int> MaxQueries = new Setting<int>("limits.queries", "queries in flight, waiting ones included", SettingTypes.Count(1, 1_000_000)).Or(10_000);
    public static readonly Setting<int> MaxConnections = new Setting<int>("limits.connections", "connections to the gRPC port, and as many to the HTTP port", SettingTypes.Count(1, 1_000_000)).Or(10_000);
    public static readonly Setting<int> MaxStreams = new Setting<int>("limits.streams_per_connection", "calls at once on one connection", SettingTypes.Count(100, 1_000_000)).Or(10_000);
    public static readonly Setting<long> MaxRequestBytes = new Setting<long>("limits.request_size", "largest request message", SettingTypes.Size(64 << 10, 64 << 20)).Or(16 << 20);
    public static readonly Setting<int> MaxWaitingWrites = new Setting<int>("limits.waiting_writes", "writes of one database that may wait for its writer", SettingTypes.Count(1, 1_000_000)).Or(8192);
    public static readonly Setting<long> ImageCacheBytes = new Setting<long>("limits.image_cache", "memory for the last images of written pages, all databases together", SettingTypes.Size(0, 64L << 30)).Or(64L << 20);
    public static readonly Setting<int> MaxIdempotencyKeys = new Setting<int>("limits.idempotency_keys", "idempotency keys that a database keeps", SettingTypes.Count(1, 100_000_000)).Or(1_000_000);

    public static readonly Setting<TimeSpan> GrainIdle = new Setting<TimeSpan>("times.idle", "a copy that nobody uses for so long leaves memory", SettingTypes.Time(TimeSpan.FromSeconds(1), _day)).Or(TimeSpan.FromSeconds(60));
    public static readonly Setting<TimeSpan> WaitTimeout = new Setting<TimeSpan>("times.bookmark_wait", "longest wait for a bookmark when the caller names none", SettingTypes.Time(_millisecond, TimeSpan.FromMinutes(1))).Or(TimeSpan.FromSeconds(5));
    public static readonly Setting<TimeSpan> StatementTimeout = new Setting<TimeSpan>("times.statement", "longest time that a request's SQL may run when the caller names none", SettingTypes.Time(_millisecond, TimeSpan.FromHours(1))).Or(TimeSpan.FromSeconds(30));
    public static readonly Setting<TimeSpan> TransactionIdle = new Setting<TimeSpan>("times.transaction_idle", "longest pause between two steps of an interactive transaction", SettingTypes.Time(_millisecond, TimeSpan.FromSeconds(30))).Or(TimeSpan.FromSeconds(5));
    public static readonly Setting<TimeSpan> TransactionTotal = new Setting<TimeSpan>("times.transaction_total", "longest interactive transaction", SettingTypes.Time(_millisecond, TimeSpan.FromMinutes(2))).Or(TimeSpan.FromSeconds(30));
    public static readonly Setting<TimeSpan> IdempotencyRetention = new Setting<TimeSpan>("times.idempotency_retention", "how long an idempotency key has force", SettingTypes.Time(TimeSpan.FromHours(1), TimeSpan.FromDays(30))).Or(_day);
    public static readonly Setting<TimeSpan> HandOver = new Setting<TimeSpan>("times.hand_over", "longest time to hand primaries over at a stop", SettingTypes.Time(TimeSpan.Zero, TimeSpan.FromMinutes(5))).Or(TimeSpan.FromSeconds(10));
    public static readonly Setting<TimeSpan> StopPatience = new Setting<TimeSpan>("times.drain", "longest time that calls under way are given at a stop, after the handing over", SettingTypes.Time(TimeSpan.Zero, TimeSpan.FromMinutes(5))).Or(TimeSpan.FromSeconds(5));

    public static readonly Setting<TimeSpan> Loss = new Setting<TimeSpan>("failover.loss", "a primary whose stream is away for so long is looked for", SettingTypes.Time(TimeSpan.FromMilliseconds(500), TimeSpan.FromMinutes(1))).Or(TimeSpan.FromMilliseconds(500));
    public static readonly Setting<TimeSpan> ProbeWithin = new Setting<TimeSpan>("failover.probe", "so long the other followers are waited for when a primary is looked for", SettingTypes.Time(TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1))).Or(TimeSpan.FromMilliseconds(400));
    public static readonly Setting<TimeSpan> ReplaceAfter = new Setting<TimeSpan>("failover.replace_after", "another node gets the place of a follower whose node is away for so long", SettingTypes.Time(TimeSpan.FromSeconds(1), TimeSpan.FromDays(365))).Or(TimeSpan.FromMinutes(10));
    public static readonly Setting<bool> ReadLease = new Setting<bool>("failover.read_lease", "fresh reads rest on a lease of 300 ms and clock rates within 10 %; without it each on a round to a quorum", SettingTypes.Flag).Or(true);

    public static readonly Setting<bool> AllowUnfixedSqlite = new Setting<bool>("allow_unfixed_sqlite", "run with a SQLite that has the WAL-reset race; not for data that matters", SettingTypes.Flag).Or(false);
    public static readonly Setting<LogLevel> LogLevel = new Setting<LogLevel>("log.level", "what is logged, to standard error", SettingTypes.LogLevel).Or(Microsoft.Extensions.Logging.LogLevel.Warning);

    public static readonly Setting<string> LogFormat = new Setting<string>("log.format", "how it is written: for people, or one JSON object a line", SettingTypes.OneOf("text", "json")).Or("text");
    public static readonly Setting<TimeSpan> SlowStatement = new Setting<TimeSpan>("log.slow_statement", "requests that take so long are logged, without their values; 0: none", SettingTypes.Time(TimeSpan.Zero, _day)).Or(TimeSpan.FromSeconds(1));

    /// <summary>All of them, in the order in which they are shown.</summary>
    public static IReadOnlyList<Setting> All { get; } =
    [
        Region, Zone, NodeId, Data, Roles,
        ListenAddress, GrpcPort, HttpPort, AdvertisedGrpc, AdvertisedHttp,
        TlsCertificate, TlsKey, TlsNodeAuthority, TlsNodeCertificate, TlsNodeKey, TlsServerAuthority, AllowPlaintextBeyondLoopback, RequireTokens,
        Control, ControlFile, EtcdEndpoints, EtcdPrefix, EtcdUser, EtcdPassword, EtcdPasswordFile, EtcdCaFile, EtcdCertificateFile, EtcdKeyFile, EtcdLease, EtcdAcceptRestored,
        ColdFolder, ColdRetention, ColdDeletionGrace, ColdBucket, ColdEndpoint, ColdRegion, ColdAccessKey, ColdSecretKey, ColdEncryption,
        D1Profile, D1Account, D1CorsOrigins, D1MaxBody, D1MaxUpload, D1BodyTime, D1QueryTime,
        MaxQueries, MaxConnections, MaxStreams, MaxRequestBytes, MaxWaitingWrites, ImageCacheBytes, MaxIdempotencyKeys,
        GrainIdle, WaitTimeout, StatementTimeout, TransactionIdle, TransactionTotal, IdempotencyRetention, HandOver, StopPatience,
        Loss, ProbeWithin, ReplaceAfter, ReadLease,
        AllowUnfixedSqlite, LogLevel, LogFormat, SlowStatement,
    ];

    /// <summary>Those that somebody must set.</summary>
    public static IReadOnlyList<Setting> Required { get; } = [Region, Data, Control];
}
