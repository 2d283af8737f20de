namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What this process has used so far.</summary>
internal static class CpuMeter
{
    /// <summary>CPU time of all threads by getrusage, bytes allocated, and the working set.</summary>
    public static ProcessUsage Read() => new(Environment.CpuUsage.TotalTime.TotalMicroseconds, GC.GetTotalAllocatedBytes(), Environment.WorkingSet);
}
