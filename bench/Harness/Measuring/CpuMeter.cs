namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What this process has used so far.</summary>
internal static class CpuMeter
{
    /// <summary>CPU time of all threads by getrusage, and bytes allocated.</summary>
    public static ProcessUsage Read() => new(Environment.CpuUsage.TotalTime.TotalMicroseconds, GC.GetTotalAllocatedBytes());
}
