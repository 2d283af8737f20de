namespace ReplicatedSqlite.Sqlite;

/// <summary>Where things lie in a WAL, a WAL-index and a database file.</summary>
/// <remarks>Source: SQLite "WAL-mode File Format" and "Database File Format", <c>wal.c</c>.</remarks>
public static class WalLayout
{
    /// <summary>The smallest page that SQLite knows.</summary>
    public const int MinPageSizeBytes = 512;

    /// <summary>The largest page that SQLite knows.</summary>
    public const int MaxPageSizeBytes = 65536;

    /// <summary>The byte on which SQLite locks the database file; the page that holds it is never used.</summary>
    public const long LockByte = 1L << 30;

    /// <summary>The page that holds the lock byte: 262145 at 4096 bytes a page. It is never shipped, written or compared.</summary>
    public static uint LockPage(int pageSizeBytes) => (uint)(LockByte / pageSizeBytes) + 1;

    /// <summary>A frame's bytes: header and page.</summary>
    public static int FrameSizeBytes(int pageSizeBytes) => WalFrameHeader.SizeBytes + pageSizeBytes;

    /// <summary>Where a frame's header begins in the WAL; frames are counted from 1.</summary>
    public static long FrameOffset(uint frame, int pageSizeBytes) =>
        WalHeader.SizeBytes + ((long)(frame - 1) * FrameSizeBytes(pageSizeBytes));

    /// <summary>The length of a WAL that ends behind this frame; 0 when it holds none.</summary>
    public static long WalSizeBytes(uint lastFrame, int pageSizeBytes) => lastFrame == 0 ? 0 : FrameOffset(lastFrame + 1, pageSizeBytes);

    /// <summary>Whether SQLite can have pages of this size.</summary>
    public static bool IsPageSize(long bytes) => bytes is >= MinPageSizeBytes and <= MaxPageSizeBytes && (bytes & (bytes - 1)) == 0;
}
