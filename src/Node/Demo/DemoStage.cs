using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Node;

/// <summary>Where the demo plays: a client for each region, as an application has one for the region that it runs in.</summary>
internal sealed class DemoStage(IReadOnlyList<NodeRecord> nodes, IReadOnlyDictionary<string, TimeSpan> delays) : IAsyncDisposable
{
    private readonly Dictionary<string, ReplicatedSqliteClient> _clients =
        nodes.ToDictionary(node => node.Region, node => new ReplicatedSqliteClient(node.GrpcAddress.Authority));

    public IReadOnlyList<NodeRecord> Nodes => nodes;

    /// <summary>Free in a folder that is used again.</summary>
    public string DatabaseName { get; private set; } = "shop";

    /// <summary>The database is created here.</summary>
    public string PrimaryRegion => nodes[0].Region;

    /// <summary>Customers order here.</summary>
    public string OrderRegion => nodes[1].Region;

    /// <summary>Orders are listed here: the replica that is held back most, else the last one.</summary>
    public string ListRegion => nodes.Skip(1).Reverse().MaxBy(node => DelayOf(node.Region))!.Region;

    public TimeSpan LongestDelay => nodes.Max(node => DelayOf(node.Region));

    public TimeSpan DelayOf(string region) => region == PrimaryRegion ? TimeSpan.Zero : delays.GetValueOrDefault(region);

    public async Task CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        var taken = new HashSet<string>();
        await foreach (var database in _clients[PrimaryRegion].Admin.ListDatabasesAsync(DatabaseName, cancellationToken))
        {
            taken.Add(database.Name);
        }

        DatabaseName = Enumerable.Range(1, taken.Count + 1).Select(i => i == 1 ? "shop" : $"shop-{i}").First(name => !taken.Contains(name));
        await _clients[PrimaryRegion].Admin.CreateDatabaseAsync(DatabaseName, PrimaryRegion, cancellationToken);
    }

    /// <summary>The database as an application in a region sees it.</summary>
    public ReplicatedDatabase In(string region) => _clients[region].Database(DatabaseName);

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients.Values)
        {
            await client.DisposeAsync();
        }
    }
}
