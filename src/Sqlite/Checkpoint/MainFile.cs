using System.Buffers.Binary;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Looks at a main file before a connection is opened on it.</summary>
/// <remarks>SQLite takes an empty file for an empty database, and misses the end of a shortened one only when it needs a page there; so it is not asked.</remarks>
public static class MainFile
{
    private const int HeaderBytes = 100;
    private const int PageCountOffset = 28;

    private static ReadOnlySpan<byte> Magic => "SQLite format 3\0"u8;

    /// <summary>Checks that a file with this sidecar can be what it says. Pages in the middle are not looked at.</summary>
    /// <exception cref="InvalidDataException">It cannot; the text names file, offset, found and expected.</exception>
    public static void Check(string path, Sidecar sidecar)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        Span<byte> header = stackalloc byte[HeaderBytes];
        var lengthBytes = RandomAccess.GetLength(file);
        if (RandomAccess.Read(file, header, 0) < HeaderBytes)
        {
            throw Damaged(path, lengthBytes, "the end of the file", $"a database header of {HeaderBytes} bytes");
        }

        if (!header.StartsWith(Magic))
        {
            throw Damaged(path, 0, Convert.ToHexStringLower(header[..Magic.Length]), Convert.ToHexStringLower(Magic));
        }

        var pageSizeBytes = (int)BinaryPrimitives.ReadUInt16BigEndian(header[16..]);
        pageSizeBytes = pageSizeBytes == 1 ? WalLayout.MaxPageSizeBytes : pageSizeBytes;
        if (!WalLayout.IsPageSize(pageSizeBytes))
        {
            throw Damaged(path, 16, $"a page size of {pageSizeBytes} bytes", "a power of two from 512 to 65536");
        }

        // While a checkpoint was under way the header may be newer than the pages behind it; replay brings them.
        var pageCount = BinaryPrimitives.ReadUInt32BigEndian(header[PageCountOffset..]);
        if (sidecar.From == sidecar.To && lengthBytes < (long)pageCount * pageSizeBytes)
        {
            throw Damaged(path, lengthBytes, "the end of the file", $"{pageCount} pages of {pageSizeBytes} bytes");
        }
    }

    /// <summary>The size of a complete file, as its header says.</summary>
    public static uint PageCount(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        Span<byte> header = stackalloc byte[HeaderBytes];
        return RandomAccess.Read(file, header, 0) == HeaderBytes ? BinaryPrimitives.ReadUInt32BigEndian(header[PageCountOffset..]) : 0;
    }

    private static InvalidDataException Damaged(string path, long offset, string found, string expected) =>
        new($"'{path}' is damaged at byte {offset}: {found} was found, {expected} was expected.");
}
