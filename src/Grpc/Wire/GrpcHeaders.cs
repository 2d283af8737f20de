namespace ReplicatedSqlite.Grpc;

/// <summary>Names and values of the protocol's own headers.</summary>
/// <remarks>Source: gRPC, "gRPC over HTTP2" and "Compression".</remarks>
public static class GrpcHeaders
{
#pragma warning disable CS1591 // The protocol explains them.
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string StatusDetails = "grpc-status-details-bin";
    public const string Timeout = "grpc-timeout";
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string ContentType = "application/grpc";
    public const string Identity = "identity";
    public const string Gzip = "gzip";
    public const string AcceptedEncodings = "identity,gzip";
#pragma warning restore CS1591

    /// <summary>Whether a content type is gRPC's: <c>application/grpc</c>, alone or with a <c>+</c> or <c>;</c> part.</summary>
    public static bool IsGrpc(string? contentType) =>
        contentType is not null
        && contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == ContentType.Length || contentType[ContentType.Length] is '+' or ';' or ' ');
}
