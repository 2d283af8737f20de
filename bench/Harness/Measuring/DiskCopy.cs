using System.Diagnostics;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What the disk takes to copy a file from one end to the other, synced: the limit of everything that makes a file of one that is there.</summary>
internal static class DiskCopy
{
    private const int BlockBytes = 4 << 20;

    /// <summary>Copies a file of random bytes, as those of a database; both go again.</summary>
    /// <param name="folder">On the disk that is measured.</param>
    /// <param name="bytes">The file's size.</param>
    public static TimeSpan Measure(string folder, long bytes)
    {
        var (from, to) = (Path.Combine(folder, "copy-from"), Path.Combine(folder, "copy-to"));
        try
        {
            var block = new byte[BlockBytes];
            new Random(1).NextBytes(block);
            using (var file = File.OpenHandle(from, FileMode.Create, FileAccess.Write))
            {
                for (long offset = 0; offset < bytes; offset += block.Length)
                {
                    RandomAccess.Write(file, block, offset);
                }

                RandomAccess.FlushToDisk(file); // not to be waited for beside the copy
            }

            var started = Stopwatch.GetTimestamp();
            using (var source = File.OpenHandle(from))
            using (var target = File.OpenHandle(to, FileMode.Create, FileAccess.Write))
            {
                for (long offset = 0; offset < bytes; offset += block.Length)
                {
                    var read = RandomAccess.Read(source, block, offset);
                    RandomAccess.Write(target, block.AsSpan(0, read), offset);
                }

                RandomAccess.FlushToDisk(target);
            }

            return Stopwatch.GetElapsedTime(started);
        }
        finally
        {
            File.Delete(from);
            File.Delete(to);
        }
    }
}
