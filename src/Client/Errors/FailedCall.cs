using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>What a call could have done, as far as its sender knows.</summary>
/// <param name="MayWrite">False only if it surely writes nothing.</param>
/// <param name="HasKey">It carries an idempotency key.</param>
internal readonly record struct CallNature(bool MayWrite, bool HasKey);

/// <summary>Turns what the transport reports into the client's typed exceptions.</summary>
internal static class FailedCall
{
    public static ReplicatedSqliteException ToException(RpcException e, CallNature nature)
    {
        var failure = e.FindDetail<SqlError>() is { } error ? FromContract(error, e.Detail, nature, e) : FromTransport(e, nature);
        return failure.ToException();
    }

    /// <summary>A failure that was told in a stream.</summary>
    public static ReplicatedSqliteException ToException(SqlError error, string message, CallNature nature) =>
        FromContract(error, message, nature, cause: null).ToException();

    private static Failure FromContract(SqlError error, string message, CallNature nature, Exception? cause) => new(error.Code, message)
    {
        SqliteCode = error.SqliteCode,
        StatementIndex = error.StatementIndex,
        SqlOffset = error.SqlOffset,
        CommitState = (CommitState)error.CommitState,
        Retryable = error.Code == ErrorCodes.WriteOutcomeUnknown ? nature.HasKey : error.Retryable,
        RetryAfter = error.RetryAfter?.ToTimeSpan(),
        Bookmark = ServerBookmark.TryParse(error.Bookmark),
        Cause = cause,
    };

    private static Failure FromTransport(RpcException e, CallNature nature)
    {
        if (e.Origin == RpcFailureOrigin.NotSent)
            return new(StatusName.Unavailable, $"{Sentence(e.Detail)} Nothing was sent; check the endpoint, or try again.") { Retryable = true, Cause = e };
        if (nature.MayWrite && IsOutcomeUnknown(e))
        {
            return new(ErrorCodes.WriteOutcomeUnknown, $"{Sentence(e.Detail)} Whether the call was carried out is unknown. {Advice(nature)}")
            {
                CommitState = CommitState.Unknown,
                Retryable = nature.HasKey,
                Cause = e,
            };
        }

        return new(StatusName.Of(e.StatusCode), e.Detail)
        {
            CommitState = e.StatusCode is StatusCode.Internal or StatusCode.DataLoss && nature.MayWrite ? CommitState.Unknown : CommitState.NotCommitted,
            Retryable = e.StatusCode is StatusCode.Unavailable || (e.StatusCode is StatusCode.DeadlineExceeded or StatusCode.Cancelled && !nature.MayWrite),
            Cause = e,
        };
    }

    // A status of these kinds without the contract's details was not made by the writer, and says nothing about what it did.
    private static bool IsOutcomeUnknown(RpcException e) =>
        e.Origin == RpcFailureOrigin.InFlight
        || e.StatusCode is StatusCode.Unavailable or StatusCode.Unknown or StatusCode.DeadlineExceeded or StatusCode.Cancelled or StatusCode.Aborted;

    private static string Sentence(string text) => text.Length > 0 && char.IsPunctuation(text[^1]) && text[^1] != ')' ? text : text + ".";

    private static string Advice(CallNature nature) => nature.HasKey
        ? "Make it again with the same idempotency key: it runs once."
        : "Look before making it again, or send writes with an idempotency key, which makes repeating them safe.";
}
