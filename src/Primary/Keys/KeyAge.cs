using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Primary;

/// <summary>How old the request of an idempotency key may be: what tells a key that was never used from one that is forgotten.</summary>
internal static class KeyAge
{
    // The clock that dated a key is not ours. One that is further off than this says nothing.
    private static readonly TimeSpan _clockTolerance = TimeSpan.FromMinutes(10);

    private const long LongestSeconds = 315_576_000_000; // what a protobuf Duration may hold; anything may come over the wire

    /// <summary>At most so old, by what the caller says or by the key itself, a UUID of version 7 with the time of its making.</summary>
    /// <returns><see langword="null"/> if neither tells.</returns>
    public static TimeSpan? Of(GetOutcomeRequest request, DateTimeOffset now)
    {
        if (request.SentWithin is { } within && within.Seconds >= 0 && within.Nanos >= 0)
        {
            return TimeSpan.FromSeconds(Math.Min(within.Seconds, LongestSeconds)) + TimeSpan.FromTicks((within.Nanos / 100) + 1);
        }

        if (!Guid.TryParse(request.IdempotencyKey, out var id) || id.Version != 7)
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        var madeMs = 0L;
        foreach (var part in bytes[..6])
        {
            madeMs = (madeMs << 8) | part;
        }

        var age = (now - DateTimeOffset.UnixEpoch) - TimeSpan.FromMilliseconds(madeMs);
        return age < -_clockTolerance ? null : age + _clockTolerance;
    }
}
