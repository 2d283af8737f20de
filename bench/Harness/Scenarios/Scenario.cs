namespace ReplicatedSqlite.Bench.Harness;

/// <summary>A question that people choose a database by.</summary>
internal abstract class Scenario
{
    /// <summary>Names and what they answer.</summary>
    public static readonly IReadOnlyList<(string Name, string What)> All =
    [
        ("bytes", "How many bytes of log does a write take, and what does finding its patches cost beside whole pages?"),
        ("client", "What does the ADO.NET provider add to the raw call, and how fast are its rows beside Microsoft.Data.Sqlite on a file?"),
        ("confirm-lag", "How long after its confirmation does a write show on the replicas? Open loop."),
        ("echo", "What does our gRPC cost beside bare Kestrel and HttpMessageInvoker?"),
        ("gzip", "What does it cost to answer in gzip, and how much less is sent?"),
        ("isolation", "How slow do reads of one database become beside an endless query, a stuck client or huge results of another? Open loop."),
        ("journal", "What does a record cost the journal alone, in CPU and fdatasyncs, with 1, 100 and 10,000 databases?"),
        ("reads", "How many point reads does a replica answer, beside an echo?"),
        ("recovery", "How long after a crash is the first write answered, with a long log behind the database's base? On the same node, and on another."),
        ("stream", "How fast do a million rows come through a stream, beside reading them from SQLite in process? Is memory flat?"),
        ("transaction", "What does an interactive transaction of three statements add to the same three as one call?"),
        ("writes", "How many single-row inserts are durable in a second, beside an echo and beside the disk alone?"),
    ];

    /// <summary>Whether it calls a cluster.</summary>
    public virtual bool NeedsCluster => true;

    public static Scenario Create(string name) => name switch
    {
        "bytes" => new BytesScenario(),
        "client" => new ClientScenario(),
        "confirm-lag" => new ConfirmLagScenario(),
        "echo" => new EchoScenario(),
        "gzip" => new GzipScenario(),
        "isolation" => new IsolationScenario(),
        "journal" => new JournalScenario(),
        "reads" => new ReadsScenario(),
        "recovery" => new RecoveryScenario(),
        "stream" => new StreamScenario(),
        "transaction" => new TransactionScenario(),
        "writes" => new WritesScenario(),
        _ => throw new ArgumentException($"There is no scenario '{name}'.", nameof(name)),
    };

    /// <summary>Measures.</summary>
    /// <exception cref="BenchException">An answer was wrong.</exception>
    public abstract Task<IReadOnlyList<BenchResult>> RunAsync(ServerProcess server, BenchOptions options, Noise noise, CancellationToken cancellationToken);
}
