using System.Diagnostics;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Calls that begin at a fixed rate, whether or not earlier ones have been answered, as users do.</summary>
/// <remarks>The latency counts from the moment at which a call was to begin, so that a stall is seen by all the calls that it held up.</remarks>
internal static class OpenLoop
{
    private const int MaxInFlight = 20_000;

    /// <summary>Runs for a while and waits for all answers.</summary>
    /// <exception cref="BenchException">The server cannot keep up with the rate.</exception>
    public static async Task<LoadResult> RunAsync(ServerProcess server, int rate, TimeSpan duration, Func<Task> call)
    {
        var serverBefore = await server.UsageAsync();
        var clientBefore = CpuMeter.Read();
        var latency = new LatencyHistogram();
        var started = Stopwatch.GetTimestamp();
        var calls = await Task.Factory.StartNew(
            () => Begin(rate, duration, call, latency), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Task.WhenAll(calls);
        var elapsed = Stopwatch.GetElapsedTime(started);
        var clientAfter = CpuMeter.Read();
        var serverAfter = await server.UsageAsync();
        double count = calls.Count;
        return new LoadResult(
            calls.Count,
            elapsed,
            latency,
            (serverAfter.CpuMicroseconds - serverBefore.CpuMicroseconds) / count,
            (clientAfter.CpuMicroseconds - clientBefore.CpuMicroseconds) / count,
            (serverAfter.AllocatedBytes - serverBefore.AllocatedBytes) / count);
    }

    // On a thread of its own: a timer of the runtime is a millisecond late.
    private static List<Task> Begin(int rate, TimeSpan duration, Func<Task> call, LatencyHistogram latency)
    {
        var inFlight = new SemaphoreSlim(MaxInFlight);
        var started = Nanoseconds();
        var total = Math.Max(1, (long)(rate * duration.TotalSeconds));
        var calls = new List<Task>((int)total);
        for (long i = 0; i < total; i++)
        {
            var intended = started + (i * 1_000_000_000 / rate);
            Libc.SleepUntil(intended);
            if (!inFlight.Wait(0))
            {
                throw new BenchException($"{MaxInFlight} calls wait for their answer: the server cannot keep up with {rate}/s. Choose a lower --rate.");
            }

            calls.Add(Task.Run(async () =>
            {
                await call();
                var nanoseconds = Nanoseconds() - intended;
                inFlight.Release();
                lock (latency)
                {
                    latency.Record(nanoseconds);
                }
            }));
        }

        return calls;
    }

    private static long Nanoseconds() => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));
}
