namespace ReplicatedSqlite.Journal.Tests;

/// <summary>A disk that stops once in the middle of a group's write and lets somebody look.</summary>
internal sealed class HalfWritingDisk(IJournalDisk inner) : IJournalDisk
{
    /// <summary>Called once, when half of the next group is written.</summary>
    public Action? AtHalf { get; set; }

    public void CreateFolder(string folder) => inner.CreateFolder(folder);

    public IReadOnlyList<string> List(string folder) => inner.List(folder);

    public IJournalFile Create(string path, long sizeBytes) => new Handle(this, inner.Create(path, sizeBytes));

    public IJournalFile Open(string path) => new Handle(this, inner.Open(path));

    public void Delete(string path) => inner.Delete(path);

    public void SyncFolder(string folder) => inner.SyncFolder(folder);

    public IDisposable Lock(string path) => inner.Lock(path);

    private sealed class Handle(HalfWritingDisk disk, IJournalFile file) : IJournalFile
    {
        public long SizeBytes => file.SizeBytes;

        public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> parts)
        {
            if (offset > 0 && disk.AtHalf is { } look)
            {
                disk.AtHalf = null;
                byte[] bytes = [.. parts.SelectMany(part => part.ToArray())];
                file.Write(offset, [bytes.AsMemory(0, bytes.Length / 2)]);
                look();
            }

            file.Write(offset, parts);
        }

        public void Read(long offset, Span<byte> target) => file.Read(offset, target);

        public void SyncData() => file.SyncData();

        public void Dispose() => file.Dispose();
    }
}
