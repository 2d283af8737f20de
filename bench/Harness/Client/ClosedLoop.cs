using System.Diagnostics;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What a closed loop came to.</summary>
/// <param name="PerSecond">Calls a second.</param>
/// <param name="Latencies">Of each call.</param>
/// <param name="ServerCpu">Microseconds of the server's processor time a call.</param>
/// <param name="ClientCpu">The same of the client.</param>
internal sealed record LoopResult(double PerSecond, Samples Latencies, double ServerCpu, double ClientCpu);

/// <summary>So many callers, each of which calls again as soon as it is answered.</summary>
internal static class ClosedLoop
{
    public static async Task<LoopResult> RunAsync(ServerProcess server, int callers, TimeSpan duration, Func<int, Task> call)
    {
        var latencies = new Samples();
        var serverBefore = await server.CpuMicrosecondsAsync();
        var clientBefore = Process.GetCurrentProcess().TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            var own = new List<double>();
            while (clock.Elapsed < duration)
            {
                var started = Stopwatch.GetTimestamp();
                await call(caller);
                own.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }

            latencies.AddRange(own);
        })));
        var elapsed = clock.Elapsed;
        var clientCpu = (Process.GetCurrentProcess().TotalProcessorTime - clientBefore).TotalMicroseconds;
        var serverCpu = await server.CpuMicrosecondsAsync() - serverBefore;
        var count = Math.Max(1, latencies.Count);
        return new LoopResult(count / elapsed.TotalSeconds, latencies, serverCpu / count, clientCpu / count);
    }
}
