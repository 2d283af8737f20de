using Microsoft.Win32.SafeHandles;

namespace ReplicatedSqlite.Journal;

/// <summary>The real disk. Linux only: it syncs data and folders through libc.</summary>
public sealed class FileSystemDisk : IJournalDisk
{
    private const int ZeroChunkBytes = 1 << 20;

    /// <inheritdoc/>
    public void CreateFolder(string folder)
    {
        var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (Directory.Exists(path))
        {
            return;
        }

        var parent = Path.GetDirectoryName(path)!; // the root is always there
        CreateFolder(parent);
        Directory.CreateDirectory(path);
        Libc.SyncFolder(parent);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string folder) => [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path))];

    /// <inheritdoc/>
    public IJournalFile Create(string path, long sizeBytes)
    {
        var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            Libc.Allocate(handle, path, sizeBytes);
            FillWithZeros(handle, sizeBytes);
            return new FileSystemFile(handle, path, sizeBytes);
        }
        catch (Exception exception)
        {
            handle.Dispose();
            File.Delete(path);
            if (exception is IOException io && Libc.IsFull(io))
            {
                throw new DiskFullException(path, sizeBytes);
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public IJournalFile Open(string path)
    {
        var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        return new FileSystemFile(handle, path, RandomAccess.GetLength(handle));
    }

    /// <inheritdoc/>
    public void Delete(string path) => File.Delete(path);

    /// <inheritdoc/>
    public void SyncFolder(string folder) => Libc.SyncFolder(folder);

    /// <inheritdoc/>
    public IDisposable Lock(string path) => File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

    // Allocation alone leaves extents marked unwritten; each first write would then change metadata and make every fdatasync dearer.
    private static void FillWithZeros(SafeFileHandle handle, long sizeBytes)
    {
        var zeros = new byte[Math.Min(ZeroChunkBytes, sizeBytes)];
        for (long offset = 0; offset < sizeBytes; offset += zeros.Length)
        {
            RandomAccess.Write(handle, zeros.AsSpan(0, (int)Math.Min(zeros.Length, sizeBytes - offset)), offset);
        }
    }
}
