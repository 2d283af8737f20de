namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What one round came to.</summary>
/// <param name="Calls">Answered.</param>
/// <param name="Elapsed">From the first call's start to the last one's end.</param>
/// <param name="Latency">One value a call.</param>
/// <param name="ServerCpu">Microseconds a call.</param>
/// <param name="ClientCpu">Microseconds a call.</param>
/// <param name="ServerBytes">Allocated a call.</param>
internal sealed record LoadResult(long Calls, TimeSpan Elapsed, LatencyHistogram Latency, double ServerCpu, double ClientCpu, double ServerBytes)
{
    /// <summary>Calls per second.</summary>
    public double Rate => Calls / Elapsed.TotalSeconds;
}
