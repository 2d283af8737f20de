using System.Collections;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Replica;
using ReplicatedSqlite.Router;

namespace ReplicatedSqlite.Node;

/// <summary>What a node runs with: the settings of the file, the environment and the options together, checked.</summary>
internal sealed class NodeConfiguration
{
    private readonly SettingValues _values;

    private NodeConfiguration(SettingValues values, NodeOptions node, string controlFile, EtcdOptions? etcd)
    {
        _values = values;
        Node = node;
        ControlFile = controlFile;
        Etcd = etcd;
    }

    /// <summary>The node.</summary>
    public NodeOptions Node { get; }

    /// <summary>Where etcd is; <see langword="null"/> where the control plane is a file.</summary>
    public EtcdOptions? Etcd { get; }

    /// <summary>The control plane's file, where there is no etcd.</summary>
    public string ControlFile { get; }

    /// <summary>From which level on things are logged.</summary>
    public LogLevel LogLevel => _values.Get(NodeSettings.LogLevel);

    /// <summary>How the log is written.</summary>
    public LogFormat LogFormat => _values.Get(NodeSettings.LogFormat) == "json" ? LogFormat.Json : LogFormat.Text;

    /// <summary>Every setting, what it is, and where that comes from; secrets hidden.</summary>
    public IEnumerable<(string Key, string Text, string Source)> Effective =>
        NodeSettings.All.Select(setting => (setting.Key, _values.TextOf(setting) ?? "(not set)", _values.SourceOf(setting) ?? "default"));

    /// <summary>Reads and checks everything. All faults are told at once.</summary>
    /// <param name="file">The configuration file, if there is one.</param>
    /// <param name="environment">The process's variables.</param>
    /// <param name="options">What the command line sets.</param>
    /// <param name="faults">What is wrong; empty means that there is a result.</param>
    /// <returns><see langword="null"/> if something is wrong.</returns>
    public static NodeConfiguration? Read(string? file, IDictionary environment, IEnumerable<SettingText> options, out IReadOnlyList<SettingFault> faults)
    {
        var found = new List<SettingFault>();
        faults = found;
        IEnumerable<SettingText> texts =
        [
            .. file is null ? [] : ConfigurationFile.Read(file, found),
            .. EnvironmentSettings.Read(environment, NodeSettings.All, found),
            .. options,
        ];
        var values = new SettingValues(NodeSettings.All, texts, found);
        found.AddRange(NodeSettings.Required.Where(setting => texts.All(text => text.Key != setting.Key)).Select(SettingFault.Missing));
        found.AddRange(ConfigurationChecks.Of(values));
        var etcd = values.Get(NodeSettings.Control) == "etcd" ? EtcdOf(values, found) : null;
        var node = NodeOf(values);
        if (ListenPolicy.FaultOf(node) is { } refused)
        {
            found.Add(new(refused));
        }

        return found.Count > 0 ? null : new(values, node, values.Get(NodeSettings.ControlFile) ?? Path.Combine(node.DataFolder, "control.sqlite"), etcd);
    }

    private static NodeOptions NodeOf(SettingValues values) => new()
    {
        Region = values.Get(NodeSettings.Region) ?? "",
        Zone = values.Get(NodeSettings.Zone) ?? "",
        NodeId = values.Get(NodeSettings.NodeId),
        DataFolder = values.Get(NodeSettings.Data) ?? "",
        Roles = values.Get(NodeSettings.Roles),
        Address = values.Get(NodeSettings.ListenAddress)!,
        GrpcPort = values.Get(NodeSettings.GrpcPort),
        HttpPort = values.Get(NodeSettings.HttpPort),
        AdvertisedGrpc = values.Get(NodeSettings.AdvertisedGrpc),
        AdvertisedHttp = values.Get(NodeSettings.AdvertisedHttp),
        Tls = TlsOf(values),
        AllowPlaintextBeyondLoopback = values.Get(NodeSettings.AllowPlaintextBeyondLoopback),
        GrainIdle = values.Get(NodeSettings.GrainIdle),
        FollowerReplaceAfter = values.Get(NodeSettings.ReplaceAfter),
        HandOverPatience = values.Get(NodeSettings.HandOver),
        StopPatience = values.Get(NodeSettings.StopPatience),
        AllowUnfixedSqlite = values.Get(NodeSettings.AllowUnfixedSqlite),
        Connections = new GrpcConnectionLimits { MaxConnections = values.Get(NodeSettings.MaxConnections), MaxStreamsPerConnection = values.Get(NodeSettings.MaxStreams) },
        Grpc = new GrpcServerOptions { MaxRequestBytes = (int)values.Get(NodeSettings.MaxRequestBytes) },
        Router = new RouterOptions
        {
            MaxQueries = values.Get(NodeSettings.MaxQueries),
            WaitTimeout = values.Get(NodeSettings.WaitTimeout),
            RequireTokens = values.Get(NodeSettings.RequireTokens),
            SlowStatement = values.Get(NodeSettings.SlowStatement) is { Ticks: > 0 } threshold ? threshold : null,
        },
        D1Api = new D1Api.D1ApiOptions
        {
            Profile = values.Get(NodeSettings.D1Profile)!,
            Account = values.Get(NodeSettings.D1Account),
            CorsOrigins = (values.Get(NodeSettings.D1CorsOrigins) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            MaxBodyBytes = (int)values.Get(NodeSettings.D1MaxBody),
            MaxUploadBytes = values.Get(NodeSettings.D1MaxUpload),
            BodyPatience = values.Get(NodeSettings.D1BodyTime),
            QueryTimeout = values.Get(NodeSettings.D1QueryTime),
        },
        ColdStorage = ColdStorageOf(values),
        Primary = new PrimaryOptions
        {
            MaxWaitingWrites = values.Get(NodeSettings.MaxWaitingWrites),
            ImageCacheBytes = values.Get(NodeSettings.ImageCacheBytes),
            MaxIdempotencyKeys = values.Get(NodeSettings.MaxIdempotencyKeys),
            IdempotencyRetention = values.Get(NodeSettings.IdempotencyRetention),
            StatementTimeout = values.Get(NodeSettings.StatementTimeout),
            ReadLease = values.Get(NodeSettings.ReadLease),
            Transactions = TransactionsOf(values),
        },
        Replica = new ReplicaOptions { Transactions = TransactionsOf(values) },
        Health = HealthTimes.Default with
        {
            Loss = (long)values.Get(NodeSettings.Loss).TotalMicroseconds, ProbeWithin = (long)values.Get(NodeSettings.ProbeWithin).TotalMicroseconds,
        },
    };

    private static TlsOptions? TlsOf(SettingValues values) => values.Get(NodeSettings.TlsCertificate) is not { } certificate ? null : new()
    {
        CertificateFile = certificate,
        KeyFile = values.Get(NodeSettings.TlsKey) ?? "",
        NodeAuthorityFile = values.Get(NodeSettings.TlsNodeAuthority) ?? "",
        NodeCertificateFile = values.Get(NodeSettings.TlsNodeCertificate),
        NodeKeyFile = values.Get(NodeSettings.TlsNodeKey),
        ServerAuthorityFile = values.Get(NodeSettings.TlsServerAuthority),
    };

    private static ColdStorageOptions? ColdStorageOf(SettingValues values) =>
        values.Get(NodeSettings.ColdFolder) is { } folder ? new ColdStorageOptions { Folder = folder }
        : values.Get(NodeSettings.ColdBucket) is not { } bucket ? null
        : new ColdStorageOptions
        {
            S3 = new ColdStorage.S3StoreOptions
            {
                Bucket = bucket,
                Endpoint = values.Get(NodeSettings.ColdEndpoint),
                Region = values.Get(NodeSettings.ColdRegion)!,
                AccessKey = values.Get(NodeSettings.ColdAccessKey),
                SecretKey = values.Get(NodeSettings.ColdSecretKey),
                Encryption = values.Get(NodeSettings.ColdEncryption) ?? "",
            },
        };

    private static TransactionOptions TransactionsOf(SettingValues values) =>
        new() { Idle = values.Get(NodeSettings.TransactionIdle), Total = values.Get(NodeSettings.TransactionTotal) };

    private static EtcdOptions? EtcdOf(SettingValues values, List<SettingFault> faults)
    {
        if (values.Get(NodeSettings.EtcdEndpoints) is not { } endpoints)
        {
            return null; // told already
        }

        var options = new EtcdOptions
        {
            Endpoints = endpoints,
            MemoryPath = Path.Combine(values.Get(NodeSettings.Data) ?? "", "catalogue.sqlite"),
            Prefix = values.Get(NodeSettings.EtcdPrefix)!,
            User = values.Get(NodeSettings.EtcdUser),
            Password = PasswordOf(values, faults),
            CaFile = values.Get(NodeSettings.EtcdCaFile),
            CertificateFile = values.Get(NodeSettings.EtcdCertificateFile),
            KeyFile = values.Get(NodeSettings.EtcdKeyFile),
            Lease = values.Get(NodeSettings.EtcdLease),
            AcceptRestored = values.Get(NodeSettings.EtcdAcceptRestored),
        };
        faults.AddRange(options.Faults().Select(static fault => new SettingFault(fault)));
        return options;
    }

    private static string? PasswordOf(SettingValues values, List<SettingFault> faults)
    {
        if (values.Get(NodeSettings.EtcdPasswordFile) is not { } file)
        {
            return values.Get(NodeSettings.EtcdPassword);
        }

        try
        {
            return File.ReadAllText(file).TrimEnd('\r', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            faults.Add(new($"{NodeSettings.EtcdPasswordFile.Key} is '{file}', which cannot be read: {e.Message}"));
            return null;
        }
    }
}
