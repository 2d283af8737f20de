using ReplicatedSqlite.Grpc;
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
        await ExecuteOnceAsync(cluster.Database(0, Name), "CREATE TABLE t (id INTEGER PRIMARY KEY, key TEXT NOT NULL)");
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

    /// <summary>Writes a row through a region, once, until it is answered.</summary>
    public static Task WriteAsync(ClusterFixture cluster, string key, int region = ClusterFixture.Enam) =>
        ExecuteOnceAsync(cluster.Database(region, Name), $"INSERT INTO t (key) VALUES ('{key}')");

    /// <summary>The same with any statement. Its idempotency key tells a repetition from another one, when a busy machine has left a try's outcome unknown.</summary>
    public static Task ExecuteOnceAsync(SqlExecutor database, string sql)
    {
        var options = new QueryOptions { IdempotencyKey = Guid.NewGuid().ToString() };
        return RetryAsync(() => database.ExecuteAsync(sql, null, options));
    }
}
