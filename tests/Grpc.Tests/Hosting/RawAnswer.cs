namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>What a raw request got: the HTTP status, and the gRPC status from trailers or headers.</summary>
internal sealed record RawAnswer(int HttpStatus, string? Status, string? Message, byte[] Body);
