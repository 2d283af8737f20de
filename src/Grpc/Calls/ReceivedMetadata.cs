namespace ReplicatedSqlite.Grpc;

/// <summary>Collects the metadata of a unary call for the few callers that want it.</summary>
internal sealed class ReceivedMetadata
{
    public Metadata Headers { get; set; } = [];

    public Metadata Trailers { get; set; } = [];
}
