using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>What the tests of failover do with a cluster and its one database.</summary>
internal static class FailoverSteps
{
    public const string Name = "d";

    public static async Task<ClusterFixture> StartAsync(Func<Node.LocalClusterOptions, Node.LocalClusterOptions>? configure = null, uint? followers = null)
    {
        var cluster = await ClusterFixture.StartAsync(configure);
        var options = new DatabaseOptions();
        if (followers is { } count)
        {
            options.Followers = count;
        }

        await cluster.Channel(0).CallAsync(AdminMethods.CreateDatabase, new CreateDatabaseRequest { Name = Name, Options = options });
        await cluster.Database(0, Name).ExecuteAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, key TEXT NOT NULL)");
        return cluster;
    }

    public static Task<Database> DescribeAsync(ClusterFixture cluster, int region) =>
        RetryAsync(() => cluster.Channel(region).CallAsync(AdminMethods.GetDatabase, new GetDatabaseRequest { Database = Name }));

    public static async Task<(uint, uint)> FollowersAsync(ClusterFixture cluster)
    {
        var options = (await DescribeAsync(cluster, ClusterFixture.Enam)).Options;
        return (options.Followers, options.Quorum);
    }

    public static Task<Database> ChangeAsync(ClusterFixture cluster, uint followers) => RetryAsync(() => cluster.Channel(ClusterFixture.Enam).CallAsync(
        AdminMethods.UpdateDatabase, new UpdateDatabaseRequest { Database = Name, Options = new DatabaseOptions { Followers = followers } }));

    public static string CodeOf(Exception failure) => failure switch
    {
        ReplicatedSqliteException typed => typed.Code,
        RpcException rpc => rpc.FindDetail<SqlError>()?.Code ?? rpc.StatusCode.ToString(),
        _ => failure.GetType().Name,
    };

    // As a client does it: what was certainly not done is tried again.
    public static async Task<T> RetryAsync<T>(Func<Task<T>> call)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return await call();
            }
            catch (Exception e) when (e is ReplicatedSqliteException or RpcException && TimeProvider.System.GetElapsedTime(started) < Eventually.Patience)
            {
                await Task.Delay(50);
            }
        }
    }

    /// <summary>Asks for the primary to be in a region, until it is.</summary>
    public static Task<Database> MoveAsync(ClusterFixture cluster, string region) =>
        RetryAsync(() => cluster.Channel(ClusterFixture.Enam).CallAsync(AdminMethods.MovePrimary, new MovePrimaryRequest { Database = Name, Region = region }));

    /// <summary>Writes through the first region, until it is answered.</summary>
    public static Task WriteAsync(ClusterFixture cluster, string key, int region = ClusterFixture.Enam) =>
        RetryAsync(() => cluster.Database(region, Name).ExecuteAsync($"INSERT INTO t (key) VALUES ('{key}')"));

    /// <summary>Where a node's log of the database begins, and its bytes. The node is stopped for the look.</summary>
    public static async Task<(Position First, Position Last, long Bytes)> LogAsync(ClusterFixture cluster, int region, string id)
    {
        var database = new DatabaseId(Guid.Parse(id));
        await cluster.StopNodeAsync(region);
        try
        {
            await using var journal = NodeJournal.Open(cluster.JournalFolder(region), new JournalOptions(), new FileSystemDisk(), new Random(1));
            return (journal.FirstOf(database), journal.LastOf(database), journal.BytesOf(database));
        }
        finally
        {
            await cluster.StartNodeAsync(region);
        }
    }
}
