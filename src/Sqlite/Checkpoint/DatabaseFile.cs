using static System.Buffers.Binary.BinaryPrimitives;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Makes the database file that every copy of a new database begins with.</summary>
/// <remarks>
/// SQLite takes a 0-byte file for no database: it deletes a WAL that lies beside one, and writes page 1 before the WAL exists, where nobody captures it.
/// So a database begins with a page 1 that holds no table and is the same, byte for byte, on primary and replicas, whatever their SQLite.
/// Source: SQLite "Database File Format".
/// </remarks>
public static class DatabaseFile
{
    private const int HeaderSizeBytes = 100;
    private const byte WalMode = 2;
    private const byte LeafTablePage = 0x0d;

    // A fixed number, not the library's own: it only says which SQLite wrote the change counter last, and it must be equal everywhere.
    private const uint WrittenByVersion = 3_053_002;

    /// <summary>Makes a database of one page, in WAL mode. Durable on return.</summary>
    /// <exception cref="IOException">There is a file of that name.</exception>
    public static void CreateEmpty(string path, int pageSizeBytes = 4096)
    {
        if (File.Exists(path))
        {
            throw new IOException($"'{path}' exists already; a new database is never made over another.");
        }

        OpenFiles.ThrowIfOpen(path);
        DurableFile.Write(path, FirstPage(pageSizeBytes));
    }

    /// <summary>The image of page 1 in a new database.</summary>
    public static byte[] FirstPage(int pageSizeBytes)
    {
        if (!WalLayout.IsPageSize(pageSizeBytes))
        {
            throw new ArgumentOutOfRangeException(nameof(pageSizeBytes), pageSizeBytes, "A page has a power of two from 512 to 65536 bytes.");
        }

        var page = new byte[pageSizeBytes];
        "SQLite format 3\0"u8.CopyTo(page);
        WriteUInt16BigEndian(page.AsSpan(16), (ushort)(pageSizeBytes == WalLayout.MaxPageSizeBytes ? 1 : pageSizeBytes));
        page[18] = page[19] = WalMode;
        (page[21], page[22], page[23]) = (64, 32, 32); // payload fractions, fixed by the format
        WriteUInt32BigEndian(page.AsSpan(24), 1); // change counter
        WriteUInt32BigEndian(page.AsSpan(28), 1); // size in pages
        WriteUInt32BigEndian(page.AsSpan(92), 1); // the change counter for which size and version are valid
        WriteUInt32BigEndian(page.AsSpan(96), WrittenByVersion);
        page[HeaderSizeBytes] = LeafTablePage; // the schema table, without a row
        WriteUInt16BigEndian(page.AsSpan(HeaderSizeBytes + 5), (ushort)(pageSizeBytes == WalLayout.MaxPageSizeBytes ? 0 : pageSizeBytes));
        return page; // schema format and encoding stay 0: SQLite sets them with the first table
    }
}
