using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Grpc.Tests;

public sealed class ErrorTests
{
    private static readonly GrpcMethod<Int32Value, Int32Value> Method = new("test.Errors", "Fail", MethodKind.Unary);

    [Fact]
    public async Task A_request_exception_travels_with_its_sql_error()
    {
        var error = new SqlError { Code = "SQLITE_CONSTRAINT_UNIQUE", StatementIndex = 2, SqlOffset = -1, Bookmark = "b", CommitState = CommitState.NotCommitted };
        var e = await FailAsync(() => new RequestException(error, "UNIQUE constraint failed: größe.x"));
        Assert.Equal(new GrpcStatus(StatusCode.FailedPrecondition, "UNIQUE constraint failed: größe.x"), e.Status);
        Assert.Equal(error, e.FindDetail<SqlError>());
        Assert.Equal((int)StatusCode.FailedPrecondition, e.Rich!.Code);
        Assert.EndsWith("/replicatedsqlite.v1.SqlError", e.Rich.Details[0].TypeUrl, StringComparison.Ordinal);
        Assert.Equal(RpcFailureOrigin.Server, e.Origin);
    }

    [Fact]
    public async Task A_failure_received_from_elsewhere_is_passed_on_whole()
    {
        await using var inner = await StartAsync(() => new RequestException(ErrorCodes.NoPrimary, "nobody leads"));
        await using var toInner = inner.Connect();
        await using var outer = await GrpcTestServer.StartAsync(services => services.MapUnary(
            Method, async (request, context) => await toInner.CallAsync(Method, request, cancellationToken: context.CancellationToken)));
        await using var channel = outer.Connect();
        var e = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(Method, new Int32Value()));
        Assert.Equal(ErrorCodes.NoPrimary, e.FindDetail<SqlError>()!.Code);
        Assert.Equal(new GrpcStatus(StatusCode.Unavailable, "nobody leads"), e.Status);
    }

    [Fact]
    public async Task An_unexpected_exception_tells_the_client_nothing_about_itself()
    {
        var e = await FailAsync(() => new FormatException("secret"));
        Assert.Equal(StatusCode.Internal, e.StatusCode);
        Assert.DoesNotContain("secret", e.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_carries_its_own_and_the_calls_trailers()
    {
        await using var server = await GrpcTestServer.StartAsync(services => services.MapUnary(Method, (_, context) =>
        {
            context.ResponseTrailers.Add("from-call", "1");
            var own = new Metadata();
            own.AddBinary("own-bin", [1, 2, 3, 4]);
            throw new RpcException(StatusCode.OutOfRange, "", own);
        }));
        await using var channel = server.Connect();
        var e = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(Method, new Int32Value()));
        Assert.True(e.Trailers.TryGet("from-call", out var text) && text == "1");
        Assert.True(e.Trailers.TryGetBinary("own-bin", out var bytes));
        Assert.Equal([1, 2, 3, 4], bytes.ToArray());
    }

    private static async Task<RpcException> FailAsync(Func<Exception> exception)
    {
        await using var server = await StartAsync(exception);
        await using var channel = server.Connect();
        return await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(Method, new Int32Value()));
    }

    private static Task<GrpcTestServer> StartAsync(Func<Exception> exception) =>
        GrpcTestServer.StartAsync(services => services.MapUnary(Method, (_, _) => throw exception()));
}
