using System.Diagnostics.Metrics;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;

namespace ReplicatedSqlite.Node;

/// <summary>A journal's disk, with what it writes and syncs counted.</summary>
internal sealed class MeteredDisk : IJournalDisk
{
    private readonly IJournalDisk _disk;
    private readonly TimeProvider _time;
    private readonly Counter<long> _bytes;
    private readonly Histogram<double> _syncs;
    private readonly Counter<long> _failures;

    public MeteredDisk(IJournalDisk disk, IMeterFactory meters, TimeProvider time)
    {
        _disk = disk;
        _time = time;
        var meter = meters.Create("ReplicatedSqlite.Journal");
        _bytes = meter.CreateCounter<long>("replicatedsqlite.journal_written", "By", "Bytes written to the journal.");
        _syncs = meter.CreateHistogram("replicatedsqlite.journal_sync", "s", "Syncs of the journal (fdatasync), each for all writes that waited.", advice: MetricBuckets.Seconds);
        _failures = meter.CreateCounter<long>("replicatedsqlite.journal_failures", "{failure}", "Writes and syncs of the journal that failed.");
    }

    public void CreateFolder(string folder) => _disk.CreateFolder(folder);

    public IReadOnlyList<string> List(string folder) => _disk.List(folder);

    public IJournalFile Create(string path, long sizeBytes) => new File(this, _disk.Create(path, sizeBytes));

    public IJournalFile Open(string path) => new File(this, _disk.Open(path));

    public void Delete(string path) => _disk.Delete(path);

    public void SyncFolder(string folder) => _disk.SyncFolder(folder);

    public IDisposable Lock(string path) => _disk.Lock(path);

    private sealed class File(MeteredDisk owner, IJournalFile file) : IJournalFile
    {
        public long SizeBytes => file.SizeBytes;

        public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> parts)
        {
            long bytes = 0;
            for (var i = 0; i < parts.Count; i++)
            {
                bytes += parts[i].Length;
            }

            try
            {
                file.Write(offset, parts);
            }
            catch
            {
                owner._failures.Add(1);
                throw;
            }

            owner._bytes.Add(bytes);
        }

        public void Read(long offset, Span<byte> target) => file.Read(offset, target);

        public void SyncData()
        {
            var started = owner._time.GetTimestamp();
            try
            {
                file.SyncData();
            }
            catch
            {
                owner._failures.Add(1);
                throw;
            }

            owner._syncs.Record(owner._time.GetElapsedTime(started).TotalSeconds);
        }

        public void Dispose() => file.Dispose();
    }
}
