using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Files that are there whole or not at all, also after a power cut.</summary>
public static partial class DurableFile
{
    /// <summary>Puts bytes under a name: temporary file, fsync, rename, fsync of the folder. Durable on return.</summary>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        var temporary = path + ".tmp";
        using (var handle = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(handle, bytes, 0);
            RandomAccess.FlushToDisk(handle);
        }

        Rename(temporary, path);
    }

    /// <summary>Gives a synced file its name, over the one that has it. Durable on return.</summary>
    public static void Rename(string temporary, string path)
    {
        File.Move(temporary, path, overwrite: true);
        SyncFolderOf(path);
    }

    /// <summary>Removes a file if it is there. Durable after the folder's next sync.</summary>
    public static void Delete(string path) => File.Delete(path);

    /// <summary>Syncs the folder of a file: names that were made or removed in it are durable on return.</summary>
    public static void SyncFolderOf(string path)
    {
        // .NET opens no folders, hence the C library.
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var descriptor = open(folder, 0);
        if (descriptor < 0)
        {
            throw Failed("open", folder);
        }

        try
        {
            if (fsync(descriptor) != 0)
            {
                throw Failed("sync", folder);
            }
        }
        finally
        {
            _ = close(descriptor);
        }
    }

    private static IOException Failed(string doing, string folder) =>
        new($"Could not {doing} the folder '{folder}': {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);
}
