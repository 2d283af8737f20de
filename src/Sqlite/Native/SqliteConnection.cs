using System.Runtime.InteropServices;
using System.Text;

namespace ReplicatedSqlite.Sqlite;

/// <summary>One connection to one database file, set up by the engine's rules.</summary>
/// <remarks>
/// Used by one thread at a time; only <see cref="Interrupt"/> may be called from any thread while the connection is open. No connection of the
/// engine ever checkpoints by itself: not after a commit, and not when it closes.
/// </remarks>
public sealed unsafe class SqliteConnection : IDisposable
{
    private nint _handle;
    private bool _isCounted; // among the open files

    private SqliteConnection(nint handle, string path)
    {
        _handle = handle;
        Path = path;
    }

    /// <summary>The file's path.</summary>
    public string Path { get; }

    /// <summary>The <c>sqlite3*</c>.</summary>
    internal nint Handle => _handle != 0 ? _handle : throw new ObjectDisposedException(nameof(SqliteConnection));

    /// <summary>No transaction is open.</summary>
    public bool IsAutocommit => NativeMethods.sqlite3_get_autocommit(Handle) != 0;

    /// <summary>Opens a file in WAL mode.</summary>
    /// <param name="path">The file; its folder exists.</param>
    /// <param name="create">Creates it when it is missing; else a missing file is an error.</param>
    /// <param name="readOnly">The connection refuses to write.</param>
    /// <param name="pageSizeBytes">Of a new file.</param>
    /// <exception cref="SqliteException">SQLite could not open it, or it is no database.</exception>
    public static SqliteConnection Open(string path, bool create = false, bool readOnly = false, int pageSizeBytes = 4096)
    {
        var flags = SqliteCodes.OpenNoMutex | SqliteCodes.OpenExtendedResultCodes |
            (readOnly ? SqliteCodes.OpenReadOnly : SqliteCodes.OpenReadWrite) | (create ? SqliteCodes.OpenCreate : 0);
        var code = NativeMethods.sqlite3_open_v2(path, out var handle, flags, 0);
        var connection = new SqliteConnection(handle, path);
        try
        {
            connection.Check(code);
            connection.Configure(readOnly, create ? pageSizeBytes : 0);
            OpenFiles.Opened(path);
            connection._isCounted = true;
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file that nobody else has open and that is thrown away if anything fails: without a WAL, a journal or a sync.</summary>
    /// <param name="path">The file; its folder exists. One that is in WAL mode leaves it.</param>
    /// <param name="create">Creates it when it is missing.</param>
    /// <param name="pageSizeBytes">Of a new file.</param>
    /// <remarks>Foreign keys are not enforced, and shadow tables may be written, as dumps need it. The caller syncs the file.</remarks>
    /// <exception cref="SqliteException">SQLite could not open it, or it is no database.</exception>
    public static SqliteConnection OpenAlone(string path, bool create = false, int pageSizeBytes = 4096)
    {
        var flags = SqliteCodes.OpenNoMutex | SqliteCodes.OpenExtendedResultCodes | SqliteCodes.OpenReadWrite | (create ? SqliteCodes.OpenCreate : 0);
        var code = NativeMethods.sqlite3_open_v2(path, out var handle, flags, 0);
        var connection = new SqliteConnection(handle, path);
        try
        {
            connection.Check(code);
            connection.SetConfig(SqliteCodes.ConfigEnableFkey, 0);
            connection.SetConfig(SqliteCodes.ConfigTrustedSchema, 0);
            connection.Execute($"PRAGMA locking_mode=EXCLUSIVE; PRAGMA cell_size_check=ON; PRAGMA synchronous=OFF{(create ? $"; PRAGMA page_size={pageSizeBytes}" : "")}");
            connection.Execute("PRAGMA journal_mode=DELETE; PRAGMA journal_mode=OFF"); // the first leaves WAL mode
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Runs SQL of our own, which returns no rows that matter. Not for users' SQL.</summary>
    /// <exception cref="SqliteException">SQLite refused it.</exception>
    public void Execute(string sql)
    {
        var bytes = Encoding.UTF8.GetBytes(sql);
        fixed (byte* start = bytes)
        {
            var next = start;
            var end = start + bytes.Length;
            while (next < end)
            {
                Check(NativeMethods.sqlite3_prepare_v3(Handle, next, (int)(end - next), 0, out var statement, out next));
                if (statement == 0)
                {
                    continue; // a comment or white space
                }

                try
                {
                    int code;
                    while ((code = NativeMethods.sqlite3_step(statement)) == SqliteCodes.Row)
                    {
                    }

                    if (code != SqliteCodes.Done)
                    {
                        throw Error(code);
                    }
                }
                finally
                {
                    _ = NativeMethods.sqlite3_finalize(statement);
                }
            }
        }
    }

    /// <summary>The first column of the first row as an integer. For SQL of our own.</summary>
    /// <exception cref="SqliteException">SQLite refused it, or it returns no row.</exception>
    public long QueryInteger(string sql)
    {
        using var statement = Prepare(sql);
        return statement.Step() ? statement.GetInteger(0) : throw new SqliteException(SqliteCodes.Error, $"'{sql}' returned no row.");
    }

    /// <summary>The first column of the first row as text, <see langword="null"/> for NULL. For SQL of our own.</summary>
    /// <exception cref="SqliteException">SQLite refused it, or it returns no row.</exception>
    public string? QueryText(string sql)
    {
        using var statement = Prepare(sql);
        return statement.Step() ? statement.GetText(0) : throw new SqliteException(SqliteCodes.Error, $"'{sql}' returned no row.");
    }

    /// <summary>Prepares one statement of our own, kept for repeated use.</summary>
    /// <exception cref="SqliteException">SQLite refused it.</exception>
    public SqliteStatement Prepare(string sql)
    {
        var bytes = Encoding.UTF8.GetBytes(sql);
        fixed (byte* start = bytes)
        {
            Check(NativeMethods.sqlite3_prepare_v3(Handle, start, bytes.Length, SqliteCodes.PreparePersistent, out var statement, out _));
            return new SqliteStatement(this, statement);
        }
    }

    /// <summary>Stops what runs on this connection, from any thread. The caller makes sure that it is not being disposed.</summary>
    public void Interrupt() => NativeMethods.sqlite3_interrupt(Handle);

    /// <summary>Closes the connection. Statements that are still open keep SQLite's handle until they are finalized.</summary>
    public void Dispose()
    {
        if (_handle != 0)
        {
            _ = NativeMethods.sqlite3_close_v2(_handle);
            _handle = 0;
            if (_isCounted)
            {
                OpenFiles.Closed(Path);
            }
        }
    }

    /// <summary>Throws unless the code says that all is well.</summary>
    internal void Check(int code)
    {
        if (code != SqliteCodes.Ok)
        {
            throw Error(code);
        }
    }

    /// <summary>The connection's last error.</summary>
    internal SqliteException Error(int code)
    {
        if (_handle == 0)
        {
            return new SqliteException(code, Marshal.PtrToStringUTF8((nint)NativeMethods.sqlite3_errstr(code)) ?? "unknown error");
        }

        var message = Marshal.PtrToStringUTF8((nint)NativeMethods.sqlite3_errmsg(_handle)) ?? "unknown error";
        return new SqliteException(code, message, NativeMethods.sqlite3_error_offset(_handle));
    }

    private void Configure(bool readOnly, int newPageSizeBytes)
    {
        // There is one owner, so nobody holds the write lock for long. But a reader that meets the WAL-index's header while it is being written takes
        // that lock for a moment to look again, and without this the writer would fail with SQLITE_BUSY now and then.
        SetBusyTimeout(TimeSpan.FromSeconds(1));
        SetConfig(SqliteCodes.ConfigNoCheckpointOnClose, 1);
        SetConfig(SqliteCodes.ConfigEnableFkey, 1);
        SetConfig(SqliteCodes.ConfigTrustedSchema, 0);
        if (!readOnly)
        {
            if (newPageSizeBytes != 0)
            {
                Execute($"PRAGMA page_size={newPageSizeBytes}");
            }

            var mode = QueryText("PRAGMA journal_mode=WAL");
            if (mode != "wal")
            {
                throw new SqliteException(SqliteCodes.Error, $"'{Path}' is in journal mode '{mode}' and cannot be changed to WAL.");
            }
        }

        Check(NativeMethods.sqlite3_wal_autocheckpoint(Handle, 0));
        SetConfig(SqliteCodes.ConfigDefensive, 1); // last: it forbids some of the above
    }

    /// <summary>How long SQLite waits for a lock that another connection holds.</summary>
    internal void SetBusyTimeout(TimeSpan timeout) => Check(NativeMethods.sqlite3_busy_timeout(Handle, (int)timeout.TotalMilliseconds));

    /// <summary>Sets one of SQLITE_DBCONFIG's switches.</summary>
    internal void SetConfig(int option, int value)
    {
        int result;
        Check(NativeMethods.sqlite3_db_config(Handle, option, value, &result));
    }
}
