using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Reads a main file's pages as they lie there, while its owner writes, checkpoints and restarts the WAL. Used by one thread at a time.</summary>
/// <remarks>
/// Through a connection's own file object, which drops nobody's locks, and without a transaction, so that nothing waits for it. What is read is what a crash would leave: everything up
/// to the sidecar's <i>from</i> as it is before the first page is read, and nothing newer than its <i>to</i> behind the last. Only confirmed pages ever get there.
/// </remarks>
public sealed class LiveMainFile : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly SqliteFileObject _file;
    private readonly DatabaseId _database;

    private LiveMainFile(SqliteConnection connection, DatabaseId database)
    {
        _connection = connection;
        _database = database;
        _file = SqliteFileObject.Of(connection);
        PageSizeBytes = (int)connection.QueryInteger("PRAGMA page_size");
    }

    /// <summary>Bytes of a page.</summary>
    public int PageSizeBytes { get; }

    /// <summary>Opens a connection of its own.</summary>
    /// <exception cref="SqliteException">SQLite could not open or read the file.</exception>
    public static LiveMainFile Open(string path, DatabaseId database)
    {
        var connection = SqliteConnection.Open(path);
        try
        {
            return new LiveMainFile(connection, database);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>What the sidecar says now.</summary>
    /// <exception cref="InvalidDataException">It is missing, damaged, or another database's.</exception>
    public (Position From, Position To) ReadMarks() =>
        Sidecar.Read(Sidecar.PathOf(_connection.Path)) is { } sidecar && sidecar.Database == _database
            ? (sidecar.From, sidecar.To)
            : throw new InvalidDataException($"The sidecar of '{_connection.Path}' is missing, or belongs to another database than {_database}.");

    /// <summary>Syncs it.</summary>
    /// <exception cref="SqliteException">That failed.</exception>
    public void Sync() => _file.Sync();

    /// <summary>Reads whole pages, as many as the target holds or the file has.</summary>
    /// <returns>How many.</returns>
    public int ReadPages(uint firstPage, Span<byte> target)
    {
        var offset = (long)(firstPage - 1) * PageSizeBytes;
        var count = (int)Math.Clamp((new FileInfo(_connection.Path).Length - offset) / PageSizeBytes, 0, target.Length / PageSizeBytes);
        if (count > 0)
        {
            _file.Read(target[..(count * PageSizeBytes)], offset);
        }

        return count;
    }

    /// <summary>Closes the connection.</summary>
    public void Dispose() => _connection.Dispose();
}
