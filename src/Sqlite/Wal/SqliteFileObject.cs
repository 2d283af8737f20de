namespace ReplicatedSqlite.Sqlite;

/// <summary>SQLite's own file object of one connection's database: the way to its shared memory, its locks, and a sync of its file.</summary>
/// <remarks>
/// Opening the <c>-shm</c> or database file beside SQLite and closing it again would drop every POSIX lock that this process holds on it, and with
/// them the readers' protection; so all of that goes through here. The connection must stay open while this is used, by one thread at a time.
/// Source: <c>sqlite3_io_methods</c>, <c>SQLITE_FCNTL_FILE_POINTER</c>.
/// </remarks>
internal sealed unsafe class SqliteFileObject
{
    /// <summary>Bytes of one block of the WAL-index.</summary>
    public const int BlockSizeBytes = 32768;

    private const int SharedMemoryUnlock = 1;
    private const int SharedMemoryLock = 2;
    private const int SharedMemoryExclusive = 8;
    private const int WriteLock = 0; // WAL_WRITE_LOCK
    private const int LockAttempts = 1000; // most of them sleep for a millisecond
    private const int SyncNormal = 2;
    private const int ShortRead = 522; // SQLITE_IOERR_SHORT_READ
    private const int FirstVersionWithSharedMemory = 2;

    private readonly SqliteConnection _connection;
    private readonly nint _file;
    private readonly Methods* _methods;

    private SqliteFileObject(SqliteConnection connection, nint file)
    {
        _connection = connection;
        _file = file;
        _methods = *(Methods**)file;
    }

    /// <summary>The file object of a connection's main database, with the WAL-index recovered and mapped by SQLite itself.</summary>
    /// <exception cref="SqliteException">SQLite could not read the database.</exception>
    public static SqliteFileObject Of(SqliteConnection connection)
    {
        // A first read makes SQLite open the WAL, and recover its index if need be, under its own locks.
        _ = connection.QueryInteger("SELECT count(*) FROM sqlite_schema");
        nint file;
        connection.Check(NativeMethods.sqlite3_file_control(connection.Handle, "main", SqliteCodes.FileControlFilePointer, &file));
        var found = new SqliteFileObject(connection, file);
        return file != 0 && found._methods->Version >= FirstVersionWithSharedMemory
            ? found
            : throw new NotSupportedException($"The VFS of '{connection.Path}' has no shared memory; a WAL needs it. Use SQLite's default VFS.");
    }

    /// <summary>A block of the WAL-index, mapped until the connection closes.</summary>
    /// <param name="index">Counted from 0.</param>
    /// <param name="extend">Makes it when it is not there yet: only under the write lock.</param>
    public nint MapBlock(int index, bool extend)
    {
        nint block = 0;
        Check(_methods->ShmMap(_file, index, BlockSizeBytes, extend ? 1 : 0, &block), $"map block {index} of the WAL-index");
        return block != 0 ? block : throw new InvalidDataException($"The WAL-index of '{_connection.Path}' has no block {index}.");
    }

    /// <summary>Takes <c>WAL_WRITE_LOCK</c>.</summary>
    /// <remarks>
    /// Nobody else writes, but a reader that met the WAL-index's header while it was being written takes this lock for a moment to look again. Hence a
    /// short wait, of a second or so: first turning, then giving the processor away.
    /// </remarks>
    /// <exception cref="SqliteException">Busy: another connection or process writes.</exception>
    public void LockForWriting()
    {
        var wait = default(SpinWait);
        int code;
        while ((code = _methods->ShmLock(_file, WriteLock, 1, SharedMemoryLock | SharedMemoryExclusive)) == SqliteCodes.Busy && wait.Count < LockAttempts)
        {
            wait.SpinOnce();
        }

        Check(code, "take the WAL's write lock");
    }

    /// <summary>Gives <c>WAL_WRITE_LOCK</c> back.</summary>
    public void UnlockForWriting() =>
        Check(_methods->ShmLock(_file, WriteLock, 1, SharedMemoryUnlock | SharedMemoryExclusive), "give the WAL's write lock back");

    /// <summary>Orders what was written to the shared memory before against what follows.</summary>
    public void Barrier() => _methods->ShmBarrier(_file);

    /// <summary>Reads from the database file; what lies beyond its end reads as zeros.</summary>
    public void Read(Span<byte> target, long offset)
    {
        fixed (byte* bytes = target)
        {
            var code = _methods->Read(_file, bytes, target.Length, offset); // SQLite fills the rest with zeros itself
            Check(code == ShortRead ? SqliteCodes.Ok : code, "read the database file");
        }
    }

    /// <summary>Syncs the database file.</summary>
    public void Sync() => Check(_methods->Sync(_file, SyncNormal), "sync the database file");

    private void Check(int code, string doing)
    {
        if (code != SqliteCodes.Ok)
        {
            throw new SqliteException(code, $"SQLite could not {doing} of '{_connection.Path}' (code {code}).");
        }
    }

    // The order and the types are SQLite's; fields that are not called keep their places.
    private readonly struct Methods
    {
#pragma warning disable CS0649, CS0169, IDE0051, CA1823 // written by SQLite
        public readonly int Version;
        private readonly nint _close;
        public readonly delegate* unmanaged[Cdecl]<nint, byte*, int, long, int> Read;
        private readonly nint _write;
        private readonly nint _truncate;
        public readonly delegate* unmanaged[Cdecl]<nint, int, int> Sync;
        private readonly nint _fileSize;
        private readonly nint _lock;
        private readonly nint _unlock;
        private readonly nint _checkReservedLock;
        private readonly nint _fileControl;
        private readonly nint _sectorSize;
        private readonly nint _deviceCharacteristics;
        public readonly delegate* unmanaged[Cdecl]<nint, int, int, int, nint*, int> ShmMap;
        public readonly delegate* unmanaged[Cdecl]<nint, int, int, int, int> ShmLock;
        public readonly delegate* unmanaged[Cdecl]<nint, void> ShmBarrier;
#pragma warning restore CS0649, CS0169, IDE0051, CA1823
    }
}
