using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A cluster of three regions with the databases <c>a</c> (its primary in enam) and <c>b</c>, and clients with tokens. Everything that it logs is kept.</summary>
internal sealed class TokenCluster : IAsyncDisposable
{
    private readonly List<ReplicatedSqliteClient> _clients = [];

    private TokenCluster(ClusterFixture cluster) => Cluster = cluster;

    public ClusterFixture Cluster { get; }

    /// <summary>Without a token, from this machine: may do everything.</summary>
    public AdminClient Admin => Cluster.Client(ClusterFixture.Enam).Admin;

    public static async Task<TokenCluster> StartAsync()
    {
        var cluster = new TokenCluster(await ClusterFixture.StartAsync(access: new() { LogFrom = LogLevel.Trace }));
        foreach (var name in (string[])["a", "b"])
        {
            await cluster.Admin.CreateDatabaseAsync(name);
            await cluster.Cluster.Database(ClusterFixture.Enam, name).ExecuteAsync("CREATE TABLE t (x)");
        }

        return cluster;
    }

    /// <summary>A new token.</summary>
    public async Task<CreateTokenResponse> CreateAsync(Right right, params string[] databases)
    {
        var request = new CreateTokenRequest { Name = "test", Right = right };
        request.Databases.AddRange(databases);
        return await Admin.CreateTokenAsync(request);
    }

    /// <summary>A client of one region's node that sends a token.</summary>
    public ReplicatedSqliteClient As(string token, int region = ClusterFixture.Enam)
    {
        var client = new ReplicatedSqliteClient(Cluster.Node(region).GrpcAddress.ToString(), new() { Token = token });
        _clients.Add(client);
        return client;
    }

    /// <summary>What a call without a client's help is refused with, and what it says.</summary>
    public static async Task<(string Code, StatusCode Status, string Text)> FailAsync(GrpcChannel channel, ExecuteRequest request, params (string Name, string Value)[] headers)
    {
        var metadata = new Metadata();
        foreach (var (name, value) in headers)
        {
            metadata.Add(name, value);
        }

        var failure = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(QueryMethods.Execute, request, new CallOptions { Headers = metadata }));
        return (failure.FindDetail<SqlError>()!.Code, failure.StatusCode, failure.Detail);
    }

    public static ExecuteRequest Sql(string database, string sql) => new() { Database = database, Statements = { new Statement { Sql = sql } } };

    public static Timestamp Soon(TimeSpan time) => Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow() + time);

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }

        await Cluster.DisposeAsync();
    }
}
