namespace ReplicatedSqlite.Primary;

/// <summary>What <c>_rs_requests</c> says of an idempotency key.</summary>
/// <param name="RequestHash">SHA-256 of the request that ran under it; empty for a marker: GetOutcome gave the key up before anything ran.</param>
/// <param name="CommittedAt">Microseconds since 1970.</param>
/// <param name="Result">As <see cref="StoredResult"/> wrote it; <see langword="null"/> if it was too large.</param>
internal sealed record KeyRow(byte[] RequestHash, long CommittedAt, byte[]? Result)
{
    /// <summary>The key can never be used again.</summary>
    public bool IsMarker => RequestHash.Length == 0;
}
