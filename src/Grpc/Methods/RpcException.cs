using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc;

/// <summary>A call that ended with a status other than OK. A server's handler throws it to end its call with that status.</summary>
public sealed class RpcException : Exception
{
    private readonly byte[]? _richBytes;
    private Google.Rpc.Status? _rich;

    /// <summary>A failure with a status and a text.</summary>
    public RpcException(StatusCode statusCode, string detail, Metadata? trailers = null, Exception? innerException = null)
        : this(statusCode, detail, trailers, RpcFailureOrigin.Server, null, innerException)
    {
    }

    /// <summary>A failure with an error message of its own, which travels in <c>grpc-status-details-bin</c>.</summary>
    public RpcException(StatusCode statusCode, string detail, IMessage error)
        : this(statusCode, detail, null, RpcFailureOrigin.Server, null, null)
    {
        _rich = new Google.Rpc.Status { Code = (int)statusCode, Message = detail, Details = { Any.Pack(error) } };
        _richBytes = _rich.ToByteArray();
    }

    internal RpcException(
        StatusCode statusCode, string detail, Metadata? trailers, RpcFailureOrigin origin, byte[]? richBytes, Exception? innerException)
        : base($"{statusCode}: {detail}", innerException)
    {
        StatusCode = statusCode;
        Detail = detail;
        Trailers = trailers ?? [];
        Origin = origin;
        _richBytes = richBytes;
    }

    /// <summary>A call that its own sender gave up on, since the server does not answer any more: whether it took effect is unknown.</summary>
    public static RpcException GivenUp(string detail) => new(StatusCode.Unavailable, detail, null, RpcFailureOrigin.InFlight, null, null);

    /// <summary>The status code.</summary>
    public StatusCode StatusCode { get; }

    /// <summary>The server's text, without the code.</summary>
    public string Detail { get; }

    /// <summary>Metadata that came with the status.</summary>
    public Metadata Trailers { get; }

    /// <summary>Where the call stopped.</summary>
    public RpcFailureOrigin Origin { get; }

    /// <summary>The bytes of <see cref="Rich"/> as they travel; empty if there are none.</summary>
    public ReadOnlyMemory<byte> RichBytes => _richBytes;

    /// <summary>The standard rich error, or <see langword="null"/> where there is none or it cannot be read.</summary>
    public Google.Rpc.Status? Rich => _rich ??= Parse(_richBytes);

    /// <summary>Status code and text.</summary>
    public GrpcStatus Status => new(StatusCode, Detail);

    /// <summary>The first detail of this type, matched by the last part of its type URL; <see langword="null"/> if there is none.</summary>
    public T? FindDetail<T>()
        where T : class, IMessage<T>, new()
    {
        if (Rich is not { } rich) return null;
        foreach (var any in rich.Details)
        {
            try
            {
                if (any.TryUnpack<T>(out var detail)) return detail;
            }
            catch (InvalidProtocolBufferException)
            {
                // A damaged detail hides nothing but itself: status and text still say what happened.
            }
        }

        return null;
    }

    private static Google.Rpc.Status? Parse(byte[]? bytes)
    {
        if (bytes is null or []) return null;
        try
        {
            return Google.Rpc.Status.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
