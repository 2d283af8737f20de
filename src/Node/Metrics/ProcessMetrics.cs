using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace ReplicatedSqlite.Node;

/// <summary>Memory, processor, garbage collector and threads of the process, which every node in it shows. Under the names that Prometheus's own clients use where there are any.</summary>
internal static class ProcessMetrics
{
    public static void Add(IMeterFactory meters)
    {
        var meter = meters.Create("ReplicatedSqlite.Process");
        meter.CreateObservableCounter("process.cpu", static () => Environment.CpuUsage.TotalTime.TotalSeconds, "s", "Processor time.");
        meter.CreateObservableGauge("process.resident_memory", static () => Environment.WorkingSet, "By", "Memory in use.");
        meter.CreateObservableGauge("process.start_time", static () => StartTime(), "s", "Start of the process, since 1970.");
        if (OperatingSystem.IsLinux())
        {
            meter.CreateObservableGauge("process.open_fds", static () => OpenFiles(), "{file}", "Open file descriptors.");
        }

        meter.CreateObservableGauge("dotnet.gc_heap", static () => GC.GetGCMemoryInfo(GCKind.Any).HeapSizeBytes, "By", "The garbage collected heap after the newest collection.");
        meter.CreateObservableGauge("dotnet.gc_committed", static () => GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes, "By", "What the garbage collector has committed.");
        meter.CreateObservableCounter("dotnet.allocated", static () => GC.GetTotalAllocatedBytes(), "By", "Bytes allocated on the garbage collected heap.");
        meter.CreateObservableCounter("dotnet.gc_pause", static () => GC.GetTotalPauseDuration().TotalSeconds, "s", "Time in which the garbage collector held all threads.");
        meter.CreateObservableCounter("dotnet.gc_collections", static () => Collections(), "{collection}", "Garbage collections, by generation.");
        meter.CreateObservableGauge("dotnet.threadpool_threads", static () => ThreadPool.ThreadCount, "{thread}", "Threads of the thread pool.");
        meter.CreateObservableGauge("dotnet.threadpool_queue_length", static () => ThreadPool.PendingWorkItemCount, "{item}", "What waits for the thread pool.");
    }

    private static double StartTime()
    {
        using var process = Process.GetCurrentProcess();
        return (process.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds;
    }

    private static int OpenFiles() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    private static IEnumerable<Measurement<long>> Collections()
    {
        for (var generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            yield return new Measurement<long>(GC.CollectionCount(generation), new KeyValuePair<string, object?>("generation", generation.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }
    }
}
