using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What the disk allows right now: 4 KiB appended and synced, one after the other, into a preallocated file.</summary>
internal static partial class DiskLimit
{
    public static double PerSecond(TimeSpan duration)
    {
        var path = Path.GetTempFileName();
        try
        {
            using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write, preallocationSize: 256 << 20);
            var block = new byte[4096];
            long written = 0;
            var clock = Stopwatch.StartNew();
            while (clock.Elapsed < duration)
            {
                RandomAccess.Write(file, block, written % (256 << 20));
                if (fdatasync(file.DangerousGetHandle().ToInt32()) != 0)
                {
                    throw new IOException("fdatasync failed.");
                }

                written += block.Length;
            }

            return written / block.Length / clock.Elapsed.TotalSeconds;
        }
        finally
        {
            File.Delete(path);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(int descriptor);
}
