using System.Buffers.Binary;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Of a database in a folder store: when its segments and snapshots came, as their files and footers tell (docs/formats.md).</summary>
/// <param name="folder">Of the database.</param>
internal sealed class StoredObjects(string folder)
{
    private const int FooterBytes = 256;
    private const int FirstCommitTime = 72;
    private const int LastCommitTime = 80;

    /// <summary>Snapshots by the moment at which they got their name.</summary>
    public IReadOnlyList<DateTime> Snapshots => [.. Files("snap").Select(static file => file.LastWriteTimeUtc).Order()];

    /// <summary>For each moment at which a write was answered, how long after it the segment was there that holds it; those that are in none yet are left out.</summary>
    public LatencyHistogram LagOf(IEnumerable<DateTime> writes)
    {
        var segments = Files("log").Select(static file => (Stored: file.LastWriteTimeUtc, Range: CommitTimes(file.FullName))).OrderBy(static segment => segment.Range.Last).ToList();
        var ends = segments.ConvertAll(static segment => segment.Range.Last);
        var lag = new LatencyHistogram();
        foreach (var write in writes)
        {
            var index = ends.BinarySearch(write);
            index = index < 0 ? ~index : index;
            if (index < segments.Count)
            {
                lag.Record((segments[index].Stored - write).Ticks * TimeSpan.NanosecondsPerTick);
            }
        }

        return lag;
    }

    private IEnumerable<FileInfo> Files(string part) =>
        Directory.Exists(Path.Combine(folder, part)) ? new DirectoryInfo(Path.Combine(folder, part)).EnumerateFiles().Where(static file => file.Name[0] != '.') : [];

    private static (DateTime First, DateTime Last) CommitTimes(string path)
    {
        Span<byte> footer = stackalloc byte[FooterBytes];
        using var file = File.OpenHandle(path);
        _ = RandomAccess.Read(file, footer, RandomAccess.GetLength(file) - FooterBytes);
        return (At(footer[FirstCommitTime..]), At(footer[LastCommitTime..]));
    }

    private static DateTime At(ReadOnlySpan<byte> microseconds) => DateTime.UnixEpoch.AddTicks(BinaryPrimitives.ReadInt64LittleEndian(microseconds) * TimeSpan.TicksPerMicrosecond);
}
