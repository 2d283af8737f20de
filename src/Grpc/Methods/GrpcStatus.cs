using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc;

/// <summary>How a call ended.</summary>
/// <param name="Code">The status code.</param>
/// <param name="Message">A text for people; empty for <see cref="StatusCode.OK"/>.</param>
public readonly record struct GrpcStatus(StatusCode Code, string Message)
{
    /// <summary>The call succeeded.</summary>
    public static GrpcStatus Success => new(StatusCode.OK, "");

    /// <summary>Whether the call succeeded.</summary>
    public bool IsOk => Code == StatusCode.OK;
}
