using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A cluster with one database "d", and every way to ask it: which rpc, which node, which session.</summary>
public sealed class ContractCluster : IAsyncLifetime
{
    private const string Schema =
        """
        CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT UNIQUE, y INTEGER NOT NULL DEFAULT 0 CHECK (y >= 0));
        CREATE TABLE child (t INTEGER REFERENCES t (id));
        CREATE TABLE late (t INTEGER REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED);
        CREATE TABLE strict_one (n INTEGER) STRICT;
        CREATE TABLE full (id INTEGER PRIMARY KEY AUTOINCREMENT);
        CREATE TABLE words (word TEXT PRIMARY KEY) WITHOUT ROWID;
        CREATE TABLE plain (v);
        CREATE VIRTUAL TABLE box USING rtree (id, low, high);
        CREATE TRIGGER guarded BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 'rows stay'); END;
        INSERT INTO t (x) VALUES ('a'), ('b');
        INSERT INTO full VALUES (9223372036854775807);
        INSERT INTO words VALUES ('w');
        INSERT INTO plain (rowid, v) VALUES (1, 1);
        """;

    /// <summary>Each with a name for messages. Only the last is answered by a replica, and only what it may answer.</summary>
    internal static readonly (string Name, int Region, bool InSession)[] Places =
        [("the primary", ClusterFixture.Enam, false), ("the primary through another region", ClusterFixture.Weur, false), ("a replica", ClusterFixture.Apac, true)];

    private ClusterFixture? _cluster;

    public Bookmark Bookmark { get; private set; }

    internal ClusterFixture Cluster => _cluster!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await ClusterFixture.StartAsync();
        await _cluster.Client(0).Admin.CreateDatabaseAsync("d");
        await _cluster.Database(0, "d").ScriptAsync(Schema);
        Bookmark = await _cluster.SettleAsync("d");
    }

    public ValueTask DisposeAsync() => _cluster!.DisposeAsync();

    /// <summary>Sends a request that fails, one way.</summary>
    internal async Task<FoundError> FailAsync(string rpc, int region, ExecuteRequest request)
    {
        var channel = Cluster.Channel(region);
        if (rpc == "Transact")
        {
            return await FailInTransactionAsync(channel, request);
        }

        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            if (rpc == "Execute")
            {
                await channel.CallAsync(QueryMethods.Execute, request);
                return;
            }

            await using var parts = channel.OpenServerStream(QueryMethods.Stream, Stream(request));
            await foreach (var _ in parts)
            {
                // Rows may come before the error.
            }
        }).InTimeAsync();
        return new(failure.StatusCode, failure.FindDetail<SqlError>(), failure.Detail, Ended: false);
    }

    internal static StreamRequest Stream(ExecuteRequest request) => new()
    {
        Database = request.Database,
        Statements = { request.Statements },
        Read = request.Read,
        Timeout = request.Timeout,
        Script = request.Script,
        IdempotencyKey = request.IdempotencyKey,
    };

    private static async Task<FoundError> FailInTransactionAsync(GrpcChannel channel, ExecuteRequest request)
    {
        await using var transaction = await RawTransaction.BeginAsync(channel, new() { Database = request.Database, Read = request.Read });
        var answer = await transaction.AskAsync(new TransactRequest { Execute = new() { Statements_ = { request.Statements }, Script = request.Script, Timeout = request.Timeout } });
        var failed = answer[^1].Failed;
        Assert.True(failed is not null, $"{request.Statements} did not fail in a transaction: {answer[^1]}");
        if (!failed.Ended)
        {
            Assert.NotNull((await transaction.AskAsync(new TransactRequest { Rollback = new() }))[^1].Done); // it went on
        }

        return new(ErrorCodes.StatusOf(failed.Error.Code), failed.Error, failed.Message, failed.Ended);
    }
}

/// <summary>How a call failed.</summary>
internal sealed record FoundError(StatusCode Status, SqlError? Error, string Message, bool Ended);
