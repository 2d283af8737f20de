using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Node;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Bench.Micro;

/// <summary>What does the client add to a point read at a replica, with its session and through ADO.NET, beside the raw call? Node and client are one process.</summary>
[MemoryDiagnoser]
public class ClientReadBench
{
    private const string Sql = "SELECT v FROM t WHERE id = 7";

    private string _folder = "";
    private LocalCluster _cluster = null!;
    private ReplicatedSqliteClient _client = null!;
    private GrpcChannel _channel = null!;
    private ReplicatedSqliteDataSource _source = null!;
    private ReplicatedSqliteConnection _connection = null!;
    private ReplicatedSqliteCommand _command = null!;
    private ExecuteRequest _request = null!;

    [GlobalSetup]
    public async Task Open()
    {
        _folder = Directory.CreateTempSubdirectory("rs-bench-").FullName;
        _cluster = await LocalCluster.StartAsync(new LocalClusterOptions { DataFolder = _folder, Regions = ["a", "b"] }, TimeProvider.System, new Random(1), NullLoggerFactory.Instance);
        await using var primary = new ReplicatedSqliteClient(_cluster.Nodes[0].GrpcAddress.Authority);
        await primary.Admin.CreateDatabaseAsync("bench");
        var written = await primary.Database("bench").ScriptAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (7, 'seven')");
        var near = _cluster.Nodes[1].GrpcAddress;
        _client = new ReplicatedSqliteClient(near.Authority);
        await _client.Database("bench").WithSession(written.Bookmark).QueryScalarAsync<string>(Sql); // the replica is there
        _channel = new GrpcChannel(near);
        _request = new ExecuteRequest { Database = "bench", Read = new ReadOptions { Session = Session.FirstUnconstrained }, Statements = { new Statement { Sql = Sql } } };
        _source = ReplicatedSqliteDataSource.Create($"Endpoint={near.Authority};Database=bench;Session=first-unconstrained");
        _connection = await _source.OpenConnectionAsync();
        _command = new ReplicatedSqliteCommand(Sql, _connection);
    }

    [Benchmark(Baseline = true)]
    public Task<ExecuteResponse> RawCall() => _channel.CallAsync(QueryMethods.Execute, _request);

    [Benchmark]
    public Task<string?> NewSession() => _client.Database("bench").WithSession().QueryScalarAsync<string>(Sql);

    [Benchmark]
    public Task<object?> ExecuteScalar() => _command.ExecuteScalarAsync(CancellationToken.None);

    [GlobalCleanup]
    public async Task Close()
    {
        await _command.DisposeAsync();
        await _connection.DisposeAsync();
        await _source.DisposeAsync();
        await _client.DisposeAsync();
        await _channel.DisposeAsync();
        await _cluster.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
