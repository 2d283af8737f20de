using ReplicatedSqlite.Journal;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The real disk, counting syncs of data.</summary>
internal sealed class CountingDisk : IJournalDisk
{
    private readonly FileSystemDisk _disk = new();

    public int Syncs { get; private set; }

    public void CreateFolder(string folder) => _disk.CreateFolder(folder);

    public IReadOnlyList<string> List(string folder) => _disk.List(folder);

    public IJournalFile Create(string path, long sizeBytes) => new CountingFile(this, _disk.Create(path, sizeBytes));

    public IJournalFile Open(string path) => new CountingFile(this, _disk.Open(path));

    public void Delete(string path) => _disk.Delete(path);

    public void SyncFolder(string folder) => _disk.SyncFolder(folder);

    public IDisposable Lock(string path) => _disk.Lock(path);

    private sealed class CountingFile(CountingDisk disk, IJournalFile file) : IJournalFile
    {
        public long SizeBytes => file.SizeBytes;

        public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> parts) => file.Write(offset, parts);

        public void Read(long offset, Span<byte> target) => file.Read(offset, target);

        public void SyncData()
        {
            disk.Syncs++;
            file.SyncData();
        }

        public void Dispose() => file.Dispose();
    }
}
