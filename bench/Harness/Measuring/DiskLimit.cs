using System.Diagnostics;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What the disk can do alone: 4 KiB appended and synced, over and over. No durable write is answered faster.</summary>
internal static class DiskLimit
{
    public const string Name = "disk: 4 KiB append and fdatasync";
    private const int BlockBytes = 4096;

    /// <summary>Measures the folder's disk. Blocks its thread.</summary>
    public static LoadResult Measure(string folder, TimeSpan duration)
    {
        var path = Path.Combine(folder, "disk-limit");
        var latency = new LatencyHistogram();
        var block = new byte[BlockBytes];
        long calls = 0;
        var started = Stopwatch.GetTimestamp();
        using (var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write, options: FileOptions.DeleteOnClose))
        {
            while (Stopwatch.GetElapsedTime(started) < duration)
            {
                var before = Stopwatch.GetTimestamp();
                RandomAccess.Write(file, block, calls * BlockBytes);
                Libc.SyncData(file);
                latency.Record((long)Stopwatch.GetElapsedTime(before).TotalNanoseconds);
                calls++;
            }
        }

        return new LoadResult(calls, Stopwatch.GetElapsedTime(started), latency, default, default, default);
    }
}
