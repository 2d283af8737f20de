namespace ReplicatedSqlite.Grpc;

/// <summary>A response with the metadata before and after it.</summary>
/// <param name="Message">The response message.</param>
/// <param name="Headers">Metadata that came before it.</param>
/// <param name="Trailers">Metadata that came with the status.</param>
public sealed record GrpcResponse<TResponse>(TResponse Message, Metadata Headers, Metadata Trailers);
