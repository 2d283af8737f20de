using System.Diagnostics;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>So many callers, each with one call at a time: how many calls per second is that?</summary>
internal static class ClosedLoop
{
    /// <summary>Runs for a while. A call that throws ends the run.</summary>
    /// <param name="server">Whose CPU time is counted.</param>
    /// <param name="callers">Calls at once.</param>
    /// <param name="duration">No call begins after it.</param>
    /// <param name="call">One call of the caller with that number; checks its answer.</param>
    public static async Task<LoadResult> RunAsync(ServerProcess server, int callers, TimeSpan duration, Func<int, Task> call)
    {
        var serverBefore = await server.UsageAsync();
        var clientBefore = CpuMeter.Read();
        var started = Stopwatch.GetTimestamp();
        var histograms = await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(() => CallAsync(caller, started, duration, call))));
        var elapsed = Stopwatch.GetElapsedTime(started);
        var clientAfter = CpuMeter.Read();
        var serverAfter = await server.UsageAsync();

        var latency = new LatencyHistogram();
        foreach (var histogram in histograms)
        {
            latency.Add(histogram);
        }

        double calls = latency.Count;
        return new LoadResult(
            latency.Count,
            elapsed,
            latency,
            (serverAfter.CpuMicroseconds - serverBefore.CpuMicroseconds) / calls,
            (clientAfter.CpuMicroseconds - clientBefore.CpuMicroseconds) / calls,
            (serverAfter.AllocatedBytes - serverBefore.AllocatedBytes) / calls);
    }

    private static async Task<LatencyHistogram> CallAsync(int caller, long started, TimeSpan duration, Func<int, Task> call)
    {
        var latency = new LatencyHistogram();
        do
        {
            var before = Stopwatch.GetTimestamp();
            await call(caller);
            latency.Record((long)Stopwatch.GetElapsedTime(before).TotalNanoseconds);
        }
        while (Stopwatch.GetElapsedTime(started) < duration);

        return latency;
    }
}
