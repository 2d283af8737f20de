using ReplicatedSqlite.Journal;

namespace ReplicatedSqlite.Testing;

/// <summary>A real disk whose syncs a test can hold back or fail, and which it can fill.</summary>
public sealed class GatedDisk : IJournalDisk, IDisposable
{
    private readonly FileSystemDisk _disk = new();
    private readonly ManualResetEventSlim _open = new(true);
    private volatile bool _fails;
    private int _waiting; // by Interlocked

    /// <summary>No new file finds room.</summary>
    public bool IsFull { get; set; }

    /// <summary>Syncs that wait now.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Syncs wait from here on.</summary>
    public void Hold() => _open.Reset();

    /// <summary>Syncs go on.</summary>
    public void Release() => _open.Set();

    /// <summary>Syncs fail from here on, those that wait too.</summary>
    public void Fail()
    {
        _fails = true;
        _open.Set();
    }

    public void CreateFolder(string folder) => _disk.CreateFolder(folder);

    public IReadOnlyList<string> List(string folder) => _disk.List(folder);

    public IJournalFile Create(string path, long sizeBytes) =>
        IsFull ? throw new DiskFullException(path, sizeBytes) : new GatedFile(this, _disk.Create(path, sizeBytes));

    public IJournalFile Open(string path) => new GatedFile(this, _disk.Open(path));

    public void Delete(string path) => _disk.Delete(path);

    public void SyncFolder(string folder) => _disk.SyncFolder(folder);

    public IDisposable Lock(string path) => _disk.Lock(path);

    public void Dispose() => _open.Dispose();

    private sealed class GatedFile(GatedDisk owner, IJournalFile file) : IJournalFile
    {
        public long SizeBytes => file.SizeBytes;

        public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> parts) => file.Write(offset, parts);

        public void Read(long offset, Span<byte> target) => file.Read(offset, target);

        public void SyncData()
        {
            Interlocked.Increment(ref owner._waiting);
            owner._open.Wait();
            Interlocked.Decrement(ref owner._waiting);
            if (owner._fails)
            {
                throw new IOException("The test's disk failed a sync.");
            }

            file.SyncData();
        }

        public void Dispose() => file.Dispose();
    }
}
