using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Protocol;

/// <summary>A request that a server refuses or could not carry out, in the contract's words.</summary>
/// <remarks>Thrown on the server's side; it crosses the wire as a gRPC status with a <see cref="SqlError"/> in its details.</remarks>
public sealed class RequestException : Exception
{
    /// <summary>An error as the contract describes it.</summary>
    public RequestException(SqlError error, string message)
        : base(message) => Error = error;

    /// <summary>An error with nothing done.</summary>
    public RequestException(string code, string message)
        : this(NotCommitted(code), message)
    {
    }

    /// <summary>Too much waits already: nothing was done, and later there may be room.</summary>
    /// <param name="message">What waits, and how much of it.</param>
    /// <param name="retryAfter">When to try again.</param>
    public static RequestException Overloaded(string message, TimeSpan retryAfter)
    {
        var error = new RequestException(ErrorCodes.Overloaded, message);
        error.Error.RetryAfter = Duration.FromTimeSpan(retryAfter);
        return error;
    }

    /// <summary>What travels in the status details. Whoever adds a bookmark or a statement index writes it here before it is sent.</summary>
    public SqlError Error { get; }

    /// <summary>The gRPC status of <see cref="Error"/>.</summary>
    public StatusCode Status => ErrorCodes.StatusOf(Error.Code);

    private static SqlError NotCommitted(string code) => new()
    {
        Code = code,
        StatementIndex = -1,
        SqlOffset = -1,
        CommitState = CommitState.NotCommitted,
        Retryable = ErrorCodes.IsRetryable(code),
    };
}
