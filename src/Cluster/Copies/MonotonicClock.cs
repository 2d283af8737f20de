namespace ReplicatedSqlite.Cluster;

/// <summary>The machine's monotonic clock in microseconds, and a name for it.</summary>
/// <remarks>Two processes on one machine read the same clock, so a time that one writes means something to the other; elsewhere it does not.</remarks>
public static class MonotonicClock
{
    private const string BootIdFile = "/proc/sys/kernel/random/boot_id";

    /// <summary>The same for all processes since the machine started; else one of this process alone.</summary>
    public static string Id { get; } = File.Exists(BootIdFile) ? File.ReadAllText(BootIdFile).Trim() : Guid.NewGuid().ToString("D");

    /// <summary>Microseconds.</summary>
    public static long NowMicroseconds(this TimeProvider time) => (long)(time.GetTimestamp() * (1_000_000.0 / time.TimestampFrequency));
}
