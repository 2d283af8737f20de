using Google.Protobuf;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A cluster with one database "d", shared by the tests that treat it badly. Every refusal is followed by a look whether others noticed.</summary>
public sealed class InputCluster : IAsyncLifetime
{
    private ClusterFixture? _cluster;

    internal ClusterFixture Cluster => _cluster!;

    public Bookmark Bookmark { get; private set; }

    public async ValueTask InitializeAsync()
    {
        _cluster = await ClusterFixture.StartAsync();
        await _cluster.Client(0).Admin.CreateDatabaseAsync("d");
        await _cluster.Database(0, "d").ScriptAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT UNIQUE, y INTEGER NOT NULL DEFAULT 0 CHECK (y >= 0)); INSERT INTO t (x) VALUES ('a'), ('b')");
        Bookmark = await _cluster.SettleAsync("d");
    }

    public ValueTask DisposeAsync() => _cluster!.DisposeAsync();

    internal static ExecuteRequest Request(string sql, string session = "", params Value[] parameters)
    {
        var statement = new Statement { Sql = sql };
        statement.Positional.AddRange(parameters);
        return new ExecuteRequest { Database = "d", Statements = { statement }, Read = new ReadOptions { Session = session } };
    }

    /// <summary>Sends a request that is wrong, in one region or in all, and checks status, code and that nothing else suffers.</summary>
    internal async Task<SqlError> IsRefusedAsync(ExecuteRequest request, StatusCode status, string code, int? onlyRegion = null)
    {
        SqlError? error = null;
        for (var region = onlyRegion ?? 0; region <= (onlyRegion ?? ClusterFixture.RegionCount - 1); region++)
        {
            var failure = await Assert.ThrowsAsync<RpcException>(() => Cluster.Channel(region).CallAsync(QueryMethods.Execute, request)).InTimeAsync();
            error = Check(failure, status, code, region);
            var stream = new StreamRequest { Database = request.Database, Statements = { request.Statements }, Read = request.Read, Timeout = request.Timeout, Script = request.Script };
            failure = await Assert.ThrowsAsync<RpcException>(async () =>
            {
                await using var parts = Cluster.Channel(region).OpenServerStream(QueryMethods.Stream, stream);
                await foreach (var _ in parts)
                {
                    // Rows may come before the error.
                }
            }).InTimeAsync();
            Check(failure, status, code, region);
        }

        await StillAnswersAsync();
        return error!;
    }

    /// <summary>Reads and writes in all regions.</summary>
    internal async Task StillAnswersAsync()
    {
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var session = Cluster.At(region, "d", Bookmark);
            await session.ExecuteAsync("UPDATE t SET y = y + 1 WHERE id = 1").InTimeAsync();
            Assert.Equal("a", await session.QueryScalarAsync<string>("SELECT x FROM t WHERE id = 1").InTimeAsync());
        }
    }

    private static SqlError Check(RpcException failure, StatusCode status, string code, int region)
    {
        var error = failure.FindDetail<SqlError>();
        Assert.True(
            failure.StatusCode == status && error?.Code == code,
            $"region {region}: {status} {code} was expected; {failure.StatusCode} {error?.Code} came: {failure.Detail}");
        Assert.NotEmpty(failure.Detail);
        Assert.Equal(Protocol.V1.CommitState.NotCommitted, error!.CommitState);
        return error;
    }
}
