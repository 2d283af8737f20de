using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>What a request is refused with for its idempotency key.</summary>
internal static class KeyErrors
{
    public static RequestException OfRow(KeyRow row, string key) => row.IsMarker ? GivenUp(key) : Reused(key);

    public static RequestException Vacuum() => new(
        ErrorCodes.InvalidRequest, "VACUUM takes no idempotency key, since SQLite runs it outside of any transaction. It changes no data: send it without, and again if need be.");

    private static RequestException Reused(string key) => new(
        ErrorCodes.IdempotencyKeyReused,
        $"The idempotency key '{key}' belongs to another request, which was committed. Nothing was done. Choose a new key for each request; GetOutcome tells about the old one.");

    private static RequestException GivenUp(string key) => new(
        ErrorCodes.IdempotencyKeyReused,
        $"The idempotency key '{key}' was given up: GetOutcome has answered that nothing was committed under it, and that is final. Nothing was done. Send the request with a new key.");
}
