namespace ReplicatedSqlite.Bench.Harness;

/// <summary>A question that people choose a database by.</summary>
internal abstract class Scenario
{
    private const int FollowersOfRegion = 3;

    private static readonly (string Name, string What, Func<Scenario> Create)[] _all =
    [
        ("backup", "How long until a fork, and a read of a past state, built from cold storage, answer, beside copying a file of that size?", static () => new BackupScenario()),
        ("bytes", "How many bytes of log does a write take, and what does finding its patches cost beside whole pages?", static () => new BytesScenario()),
        ("catch-up", "How fast does a replica that was away apply the writes that it missed?", static () => new CatchUpScenario()),
        ("client", "What does the ADO.NET provider add to the raw call, and how fast are its rows beside Microsoft.Data.Sqlite on a file?", static () => new ClientScenario()),
        ("cold-start", "How long does the first query take of a database that is not in memory, and the first of a process?", static () => new ColdStartScenario()),
        ("cold-storage", "What do uploads and snapshots cost the writers, how late are they, and how fast is a database built from them?", static () => new ColdStorageScenario()),
        ("confirm-lag", "How long after its confirmation does a write show on the replicas? Open loop.", static () => new ConfirmLagScenario()),
        ("d1-table", "How long after its confirmation does a write show in other regions, beside what D1 published? In simulated regions.", static () => new D1TableScenario()),
        ("echo", "What does our gRPC cost beside bare Kestrel and HttpMessageInvoker?", static () => new EchoScenario()),
        ("failover", "How long is there no answer to writes when the primary's process is killed, and when the primary is moved?", static () => new FailoverScenario()),
        ("fan-out", "What does each further replica cost the primary, and how far behind are many?", static () => new FanOutScenario()),
        ("gzip", "What does it cost to answer in gzip, and how much less is sent?", static () => new GzipScenario()),
        ("isolation", "How slow do reads of one database become beside an endless query, a stuck client or huge results of another? Open loop.", static () => new IsolationScenario()),
        ("journal", "What does a record cost the journal alone, in CPU and fdatasyncs, with 1, 100 and 10,000 databases?", static () => new JournalScenario()),
        ("lag-pairs", "How long after its confirmation does a write show, from each region to each other? In simulated regions.", static () => new LagPairsScenario()),
        ("many-databases", "What do reads and writes cost that are spread over many databases, beside one?", static () => new ManyDatabasesScenario()),
        ("mixed", "How many reads of one's own writes at a replica, with one write in five, are answered in a second?", static () => new MixedScenario()),
        ("read-your-writes", "How long does a session wait at a replica until it sees its own write?", static () => new ReadYourWritesScenario()),
        ("reads", "How many point reads does a replica answer, beside an echo?", static () => new ReadsScenario()),
        ("recovery", "How long after a crash is the first write answered, with a long log behind the database's base? On the same node, and on another.", static () => new RecoveryScenario()),
        ("stream", "How fast do a million rows come through a stream, beside reading them from SQLite in process? Is memory flat?", static () => new StreamScenario()),
        ("transaction", "What does an interactive transaction of three statements add to the same three as one call?", static () => new TransactionScenario()),
        ("writes", "How many single-row inserts are durable in a second, beside an echo and beside the disk alone?", static () => new WritesScenario()),
    ];

    /// <summary>Names and what they answer.</summary>
    public static IReadOnlyList<(string Name, string What)> All { get; } = [.. _all.Select(static entry => (entry.Name, entry.What))];

    /// <summary>Whether it calls a cluster.</summary>
    public virtual bool NeedsCluster => true;

    /// <summary>What is measured before and after it, to be compared with.</summary>
    public virtual LimitKind Limits => LimitKind.None;

    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static Scenario Create(string name) => _all.FirstOrDefault(entry => entry.Name == name).Create?.Invoke() ?? throw new ArgumentException($"There is no scenario '{name}'.", nameof(name));

    /// <summary>Of the cluster, where it is one process.</summary>
    public virtual IReadOnlyList<string> Regions(BenchOptions options) => options.Regions;

    /// <summary>The processes of the cluster's nodes; <see langword="null"/>: all nodes are one process.</summary>
    /// <remarks>In simulated regions the followers all stand with the primary, as D1's do; elsewhere there are only replicas.</remarks>
    public virtual IReadOnlyList<NodeGroup>? Groups(BenchOptions options)
    {
        if (options.Matrix is null)
        {
            return options.IsApart ? [.. options.Regions.Select(static region => new NodeGroup([region]))] : null;
        }

        return [new NodeGroup([.. Enumerable.Repeat(options.Regions[0], FollowersOfRegion)]), .. options.Regions.Skip(1).Select(static region => new NodeGroup([region], ReplicasOnly: true))];
    }

    /// <summary>Measures.</summary>
    /// <exception cref="BenchException">An answer was wrong.</exception>
    public abstract Task<IReadOnlyList<BenchResult>> RunAsync(ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken);
}
