using Microsoft.AspNetCore.Http;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>A failure as it is answered: D1's status, code and text, and beside them the contract's own.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">One of <see cref="ApiCodes"/>.</param>
/// <param name="Message">In D1's words where D1 has some.</param>
/// <param name="Detail">The contract's error; <see langword="null"/> when the request did not get so far.</param>
/// <param name="DetailMessage">The contract's text.</param>
internal sealed record ApiError(int Status, int Code, string Message, SqlError? Detail = null, string? DetailMessage = null)
{
    /// <summary>
    /// Whether a client that repeats requests by itself may repeat this one; <see langword="null"/> where none would. Cloudflare's SDK repeats any 5xx, also a write that
    /// may have been carried out, unless it is told not to.
    /// </summary>
    public bool? ShouldRetry => Status < 500 && Status != StatusCodes.Status429TooManyRequests ? null : Detail is { Retryable: true, CommitState: CommitState.NotCommitted };

    public static ApiError Of(Exception failure, string? database) => failure switch
    {
        ApiException refused => new ApiError(refused.Status, refused.Code, refused.Message),
        RequestException refused => Of(refused.Error, refused.Message, database),
        RpcException remote when remote.FindDetail<SqlError>() is { } error => Of(error, remote.Detail, database),
        RpcException { StatusCode: StatusCode.Unimplemented } remote => new ApiError(StatusCodes.Status400BadRequest, ApiCodes.Query, remote.Detail),
        RpcException { StatusCode: StatusCode.Unavailable } remote => new ApiError(StatusCodes.Status503ServiceUnavailable, ApiCodes.Query, remote.Detail, Unknown()),
        BadHttpRequestException bad => new ApiError(bad.StatusCode, ApiCodes.InvalidProperty, bad.Message),
        _ => new ApiError(StatusCodes.Status500InternalServerError, ApiCodes.Query, "internal error", Unknown()),
    };

    // Without the contract's word for it nobody knows what was done.
    private static SqlError Unknown() => new() { Code = ErrorCodes.Internal, CommitState = CommitState.Unknown, StatementIndex = -1, SqlOffset = -1 };

    private static ApiError Of(SqlError error, string message, string? database)
    {
        var (status, code, text) = error.Code switch
        {
            ErrorCodes.DatabaseNotFound => (StatusCodes.Status404NotFound, ApiCodes.NotFound, $"The database {database} could not be found"),
            ErrorCodes.DatabaseExists => (StatusCodes.Status400BadRequest, ApiCodes.NameTaken, message), // not 409: the SDK would repeat it
            ErrorCodes.Parameters => (StatusCodes.Status400BadRequest, ApiCodes.Query, "Wrong number of parameter bindings for SQL query."),
            ErrorCodes.InvalidRequest when error.StatementIndex >= 0 => (StatusCodes.Status400BadRequest, ApiCodes.Query, SqliteText.OfInvalid(message)),
            ErrorCodes.InvalidRequest or ErrorCodes.BookmarkMalformed or ErrorCodes.BookmarkForeign or ErrorCodes.BookmarkFuture or ErrorCodes.BookmarkAbandoned =>
                (StatusCodes.Status400BadRequest, ApiCodes.InvalidProperty, message),
            ErrorCodes.TokenMissing or ErrorCodes.TokenInvalid => (StatusCodes.Status401Unauthorized, ApiCodes.Authentication, "Authentication error"),
            ErrorCodes.TokenLacksRight => (StatusCodes.Status403Forbidden, ApiCodes.NotAuthorized, "The given account is not valid or is not authorized to access this service"),
            ErrorCodes.Overloaded => (StatusCodes.Status429TooManyRequests, ApiCodes.Overloaded, "D1 DB is overloaded. Requests queued for too long."),
            ErrorCodes.RequestTooLarge => (StatusCodes.Status413PayloadTooLarge, ApiCodes.Query, message),
            ErrorCodes.StatementTimeout => (StatusCodes.Status400BadRequest, ApiCodes.Overloaded, "D1 DB exceeded its CPU time limit and was reset."),
            ErrorCodes.WriteOutcomeUnknown or ErrorCodes.Internal or ErrorCodes.SqliteCorrupt => (StatusCodes.Status500InternalServerError, ApiCodes.Query, message),
            _ when ErrorCodes.IsRetryable(error.Code) => (StatusCodes.Status503ServiceUnavailable, ApiCodes.Query, message),
            _ => (StatusCodes.Status400BadRequest, ApiCodes.Query, SqliteText.Of(error, message)),
        };
        return new ApiError(status, code, text, error, message);
    }
}
