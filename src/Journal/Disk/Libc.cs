using System.ComponentModel;
using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Journal;

/// <summary>The three calls that .NET does not offer: <c>FlushToDisk</c> is fsync, which also writes the file's times.</summary>
internal static partial class Libc
{
    private const int NoSpaceLeft = 28;
    private const int QuotaExceeded = 122;
    private const int ReadOnlyFolder = 0x10000; // O_RDONLY | O_DIRECTORY
    private const int InterruptedCall = 4;

    public static void SyncData(SafeHandle file, string path)
    {
        if (FDataSync(file) != 0)
        {
            throw Failure("fdatasync", path, Marshal.GetLastPInvokeError());
        }
    }

    public static void Allocate(SafeHandle file, string path, long sizeBytes)
    {
        int error;
        do
        {
            error = PosixFAllocate(file, 0, sizeBytes); // returns the error, does not set errno
        }
        while (error == InterruptedCall);

        if (error is NoSpaceLeft or QuotaExceeded)
        {
            throw new DiskFullException(path, sizeBytes);
        }

        if (error != 0)
        {
            throw Failure("posix_fallocate", path, error);
        }
    }

    public static void SyncFolder(string folder)
    {
        var descriptor = Open(folder, ReadOnlyFolder);
        if (descriptor < 0)
        {
            throw Failure("open", folder, Marshal.GetLastPInvokeError());
        }

        var result = FSync(descriptor);
        var error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        if (result != 0)
        {
            throw Failure("fsync", folder, error);
        }
    }

    public static bool IsFull(IOException exception) => exception.HResult is NoSpaceLeft or QuotaExceeded;

    private static IOException Failure(string call, string path, int error) =>
        new($"{call} failed for {path}: {new Win32Exception(error).Message} (errno {error}).");

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int FDataSync(SafeHandle file);

    [LibraryImport("libc", EntryPoint = "posix_fallocate")]
    private static partial int PosixFAllocate(SafeHandle file, long offset, long length);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
