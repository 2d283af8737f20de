namespace ReplicatedSqlite.Grpc;

/// <summary>A message above the receiver's limit; it was not read. Ends the call with RESOURCE_EXHAUSTED.</summary>
/// <param name="bytes">Its size as announced, or as far as it was decompressed.</param>
/// <param name="maxBytes">The limit.</param>
public sealed class MessageTooLargeException(long bytes, int maxBytes) : Exception(
    $"A message of {bytes} bytes came; at most {maxBytes} bytes are taken. Send less at once, or use a streaming call.")
{
    /// <summary>Its size as announced, or as far as it was decompressed.</summary>
    public long Bytes { get; } = bytes;

    /// <summary>The limit.</summary>
    public int MaxBytes { get; } = maxBytes;
}
