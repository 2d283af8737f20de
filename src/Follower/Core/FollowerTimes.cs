namespace ReplicatedSqlite.Follower;

/// <summary>How long a follower keeps to its word, in microseconds of a monotonic clock that runs on in suspend.</summary>
/// <param name="Lease">After a heartbeat was acknowledged no other leadership is promised for so long. The leader counts 300 ms from sending; the rest is for clocks within 10 % of the true rate.</param>
/// <param name="StartWait">After a start no other leadership is promised for so long: what was given before is forgotten.</param>
/// <param name="Loss">A leader's stream that is away for so long is lost.</param>
internal sealed record FollowerTimes(long Lease, long StartWait, long Loss)
{
    public static FollowerTimes Default { get; } = new(Lease: 400_000, StartWait: 400_000, Loss: 500_000);
}
