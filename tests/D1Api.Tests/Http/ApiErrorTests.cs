using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api.Tests;

/// <summary>The contract's errors in D1's words.</summary>
public sealed class ApiErrorTests
{
    [Theory]
    [InlineData("SQLITE_ERROR", 1, -1, "no such table: nope", "no such table: nope: SQLITE_ERROR")]
    [InlineData("SQLITE_ERROR", 1, 7, "no such column: nope", "no such column: nope at offset 7: SQLITE_ERROR")]
    [InlineData("SQLITE_CONSTRAINT_UNIQUE", 2067, -1, "UNIQUE constraint failed: t.c", "UNIQUE constraint failed: t.c: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)")]
    [InlineData("SQLITE_MISMATCH", 20, -1, "datatype mismatch", "datatype mismatch: SQLITE_MISMATCH")]
    [InlineData("SQLITE_AUTH", 23, -1, "PRAGMA journal_mode is not allowed.", "not authorized: SQLITE_AUTH")]
    [InlineData("SQLITE_AUTH", 23, 7, "the function sqlite_version() is not allowed.", "not authorized to use function: sqlite_version at offset 7: SQLITE_ERROR")]
    public void SQLites_errors_are_400_and_7500(string code, int sqliteCode, int offset, string message, string text)
    {
        var error = Of(code, message, failure =>
        {
            failure.SqliteCode = sqliteCode;
            failure.SqlOffset = offset;
        });
        Assert.Equal((400, ApiCodes.Query, text), (error.Status, error.Code, error.Message));
        Assert.Null(error.ShouldRetry);
    }

    [Theory]
    [InlineData(ErrorCodes.DatabaseNotFound, 404, ApiCodes.NotFound)]
    [InlineData(ErrorCodes.DatabaseExists, 400, ApiCodes.NameTaken)] // 409 would be repeated by the SDK
    [InlineData(ErrorCodes.TokenMissing, 401, ApiCodes.Authentication)]
    [InlineData(ErrorCodes.TokenInvalid, 401, ApiCodes.Authentication)]
    [InlineData(ErrorCodes.TokenLacksRight, 403, ApiCodes.NotAuthorized)]
    [InlineData(ErrorCodes.BookmarkMalformed, 400, ApiCodes.InvalidProperty)]
    [InlineData(ErrorCodes.RequestTooLarge, 413, ApiCodes.Query)]
    public void Refusals_have_D1s_codes(string code, int status, int apiCode)
    {
        var error = Of(code, "text");
        Assert.Equal((status, apiCode), (error.Status, error.Code));
        Assert.Null(error.ShouldRetry);
    }

    [Theory]
    [InlineData(ErrorCodes.NoPrimary, 503, true)]
    [InlineData(ErrorCodes.QuorumUnavailable, 503, true)]
    [InlineData(ErrorCodes.Overloaded, 429, true)]
    [InlineData(ErrorCodes.Internal, 500, false)]
    public void Only_what_surely_did_nothing_may_be_repeated(string code, int status, bool repeat)
    {
        var error = Of(code, "text");
        Assert.Equal((status, repeat), (error.Status, error.ShouldRetry));
    }

    [Fact]
    public void A_write_whose_outcome_is_unknown_is_not_repeated_by_itself()
    {
        Assert.False(Of(ErrorCodes.WriteOutcomeUnknown, "text", failure => failure.CommitState = Protocol.V1.CommitState.Unknown).ShouldRetry);
        Assert.False(ApiError.Of(new InvalidOperationException("a bug"), null).ShouldRetry);
    }

    [Fact]
    public void What_another_node_refuses_reads_the_same()
    {
        var here = Of(ErrorCodes.DatabaseNotFound, "text");
        Assert.Equal("The database shop could not be found", here.Message);
        Assert.Equal(503, ApiError.Of(new RpcException(StatusCode.Unavailable, "gone"), "shop").Status);
    }

    private static ApiError Of(string code, string message, Action<SqlError>? change = null)
    {
        var failure = new RequestException(code, message);
        change?.Invoke(failure.Error);
        return ApiError.Of(failure, "shop");
    }
}
