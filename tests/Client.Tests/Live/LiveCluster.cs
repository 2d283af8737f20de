using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Node;

[assembly: AssemblyFixture(typeof(ReplicatedSqlite.Client.Tests.LiveCluster))]

namespace ReplicatedSqlite.Client.Tests;

/// <summary>Three regions in this process, for all tests together; each test has databases of its own.</summary>
public sealed class LiveCluster : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rs-client-");
    private LocalCluster? _cluster;
    private ReplicatedSqliteClient? _client;
    private int _databases;

    /// <summary>HOST:PORT of each region's node.</summary>
    public IReadOnlyList<string> Endpoints => [.. _cluster!.Nodes.Select(node => node.GrpcAddress.Authority)];

    public AdminClient Admin => _client!.Admin;

    public async ValueTask InitializeAsync()
    {
        _cluster = await LocalCluster.StartAsync(new LocalClusterOptions { DataFolder = _folder.FullName }, TimeProvider.System, new Random(1), NullLoggerFactory.Instance);
        _client = new ReplicatedSqliteClient(Endpoints[0]);
    }

    public async ValueTask DisposeAsync()
    {
        ReplicatedSqliteConnection.ClearAllPools();
        if (_client is not null) await _client.DisposeAsync();
        if (_cluster is not null) await _cluster.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>A new database; its name.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"db{Interlocked.Increment(ref _databases)}");
        await Admin.CreateDatabaseAsync(name);
        return name;
    }

    /// <summary>The connection string of a new database, at one region's node.</summary>
    public async Task<string> ConnectionStringAsync(int region = 0, string more = "") =>
        $"Endpoint={Endpoints[region]};Database={await CreateDatabaseAsync()};{more}";

    /// <summary>A data source of a new database.</summary>
    public async Task<ReplicatedSqliteDataSource> CreateAsync(string? sql = null, int region = 0, string more = "")
    {
        var source = ReplicatedSqliteDataSource.Create(await ConnectionStringAsync(region, more));
        if (sql is not null)
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }

        return source;
    }
}
