namespace ReplicatedSqlite.Sqlite;

/// <summary>Reads the whole database, page by page, as it is at one moment; writers and checkpoints go on meanwhile.</summary>
/// <remarks>
/// Used by one thread at a time; each call may come from another one. The lock page is left out: it holds nothing. While this is open the WAL cannot be
/// restarted, so a slow receiver should not be waited for without a limit.
/// </remarks>
public sealed class SnapshotReader : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly SqliteStatement _pages;
    private readonly uint _lockPage;

    private SnapshotReader(SqliteConnection connection)
    {
        _connection = connection;
        connection.Execute("BEGIN");
        PageCount = (uint)connection.QueryInteger("PRAGMA page_count"); // reads page 1: this is what opens the snapshot
        PageSizeBytes = (int)connection.QueryInteger("PRAGMA page_size");
        _lockPage = WalLayout.LockPage(PageSizeBytes);
        _pages = connection.Prepare("SELECT pgno, data FROM sqlite_dbpage");
    }

    /// <summary>The database's size in pages, the lock page included.</summary>
    public uint PageCount { get; }

    /// <summary>Bytes of a page.</summary>
    public int PageSizeBytes { get; }

    /// <summary>The page that was reached.</summary>
    public uint PageNumber { get; private set; }

    /// <summary>Its image, valid until the next step.</summary>
    public ReadOnlySpan<byte> Image => _pages.GetBlob(1);

    /// <summary>Opens a connection of its own. On return the moment is fixed: the owner does this in a turn, and so knows the position.</summary>
    /// <exception cref="SqliteException">SQLite could not open or read the file.</exception>
    public static SnapshotReader Open(string path)
    {
        var connection = SqliteConnection.Open(path);
        try
        {
            return new SnapshotReader(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Goes to the next page, in order of page number.</summary>
    /// <returns><see langword="false"/> at the end.</returns>
    public bool MoveNext()
    {
        do
        {
            if (!_pages.Step())
            {
                return false;
            }

            PageNumber = (uint)_pages.GetInteger(0);
        }
        while (PageNumber == _lockPage);
        return true;
    }

    /// <summary>Writes what is left as a database file: pages in order, zeros where the lock page is.</summary>
    public void CopyTo(Stream destination)
    {
        var next = PageNumber + 1;
        var zeros = Array.Empty<byte>();
        while (MoveNext())
        {
            for (; next < PageNumber; next++)
            {
                zeros = zeros.Length == 0 ? new byte[PageSizeBytes] : zeros;
                destination.Write(zeros);
            }

            destination.Write(Image);
            next++;
        }
    }

    /// <summary>Ends the snapshot and closes the connection.</summary>
    public void Dispose()
    {
        _pages.Dispose();
        _connection.Dispose();
    }
}
