using Microsoft.Win32.SafeHandles;

namespace ReplicatedSqlite.Journal;

internal sealed class FileSystemFile(SafeFileHandle handle, string path, long sizeBytes) : IJournalFile
{
    public long SizeBytes => sizeBytes;

    public void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> parts) => RandomAccess.Write(handle, parts, offset);

    public void Read(long offset, Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            var read = RandomAccess.Read(handle, target, offset);
            if (read == 0)
            {
                throw new EndOfStreamException($"{path} ends at {offset}; {target.Length} more bytes were wanted.");
            }

            offset += read;
            target = target[read..];
        }
    }

    public void SyncData() => Libc.SyncData(handle, path);

    public void Dispose() => handle.Dispose();
}
