using Microsoft.Win32.SafeHandles;

namespace ReplicatedSqlite.Sqlite;

/// <summary>A handle of our own on a <c>-wal</c> file: SQLite keeps no POSIX locks on it, so one more is harmless.</summary>
internal sealed class WalFile(string path, FileAccess access) : IDisposable
{
    private readonly SafeFileHandle _handle = File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>The WAL of a database file.</summary>
    public static string PathOf(string databasePath) => databasePath + "-wal";

    /// <summary>The WAL-index of a database file.</summary>
    public static string IndexPathOf(string databasePath) => databasePath + "-shm";

    /// <summary>Fills the buffer from an offset.</summary>
    /// <exception cref="InvalidDataException">The file ends before.</exception>
    public void Read(Span<byte> buffer, long offset)
    {
        var done = RandomAccess.Read(_handle, buffer, offset);
        while (done < buffer.Length)
        {
            var count = RandomAccess.Read(_handle, buffer[done..], offset + done);
            if (count == 0)
            {
                throw new InvalidDataException(
                    $"'{path}' ends at byte {offset + done}, but its WAL-index names frames up to byte {offset + buffer.Length}. " +
                    "Something else shortened the WAL; remove it with the -shm file and replay from the sidecar.");
            }

            done += count;
        }
    }

    /// <summary>The WAL's header.</summary>
    /// <returns><see langword="false"/> when the file has none that SQLite would accept.</returns>
    public bool TryReadHeader(out WalHeader header)
    {
        Span<byte> bytes = stackalloc byte[WalHeader.SizeBytes];
        var count = RandomAccess.Read(_handle, bytes, 0);
        return WalHeader.TryRead(bytes[..count], out header);
    }

    /// <summary>Writes all of the bytes.</summary>
    public void Write(ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(_handle, bytes, offset);

    public void Dispose() => _handle.Dispose();
}
