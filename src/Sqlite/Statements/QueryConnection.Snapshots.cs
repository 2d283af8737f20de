using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <content>The state that reads see: of now, or one that the file has left.</content>
public sealed unsafe partial class QueryConnection
{
    /// <summary>The pool's note: somebody has it.</summary>
    internal bool IsLent { get; set; }

    /// <summary>The pool's note: when it was lent.</summary>
    internal int LentInRound { get; set; }

    /// <summary>Takes a snapshot that every read sees until it is disposed, as in a transaction that only reads.</summary>
    /// <exception cref="RequestException">SQLite could not read the file.</exception>
    public HeldSnapshot HoldSnapshot() => new(this, null);

    /// <summary>The same, of a state that the file has left and the WAL still holds.</summary>
    /// <exception cref="RequestException">The WAL does not hold it any more, or SQLite could not read the file.</exception>
    public HeldSnapshot HoldSnapshot(in WalIndexHeader state) => new(this, state);

    /// <summary>Opens the read transaction: what is committed now is what the request sees.</summary>
    /// <remarks>
    /// A statement that has been stepped and not reset holds it open, which costs one call instead of BEGIN, a read and COMMIT. Nothing but that
    /// statement has to be reset at the end.
    /// </remarks>
    internal void BeginSnapshot()
    {
        if (_snapshotHolders == 0)
        {
            LetGoIfOld();
            if (!_isKept)
            {
                OpenSnapshot();
            }

            _isKept = false;
        }

        _snapshotHolders++;
    }

    /// <summary>Ends the snapshot that the last request has left, if it does not show what is committed now. No request is running.</summary>
    internal void LetGoIfOld()
    {
        if (_isKept && !_seen!.IsStill)
        {
            LetGo();
        }
    }

    /// <summary>Ends the snapshot that the last request has left. No request is running.</summary>
    internal void LetGo()
    {
        if (_isKept)
        {
            _isKept = false;
            _openSnapshot.Reset();
        }
    }

    private void OpenSnapshot()
    {
        _sizeKnown = false;
        if (!_keepsSnapshots)
        {
            _openSnapshot.Step();
            return;
        }

        _seen ??= new WalIndexWatch(Connection);
        _seen.Note();
        _openSnapshot.Step();
        _mayKeep = _seen.IsStill; // nothing was committed meanwhile, so the snapshot shows what was noted
    }

    /// <summary>Opens the read transaction in a state that the file has left. No other is open.</summary>
    /// <exception cref="SqliteException">The WAL does not hold that state any more.</exception>
    /// <remarks>A snapshot in SQLite's sense is the WAL-index's header of its moment (<c>sqlite3.h</c>, <c>sqlite3_snapshot_open</c>; <c>wal.c</c>, <c>sqlite3WalSnapshotOpen</c>).</remarks>
    internal void BeginSnapshot(in WalIndexHeader state)
    {
        BeginSnapshot(); // SQLite knows only then that there is a WAL
        _mayKeep = false;
        EndSnapshot();
        _sizeKnown = false;
        Connection.Execute("BEGIN");
        try
        {
            Span<byte> bytes = stackalloc byte[WalIndexHeader.SizeBytes];
            state.Write(bytes);
            fixed (byte* main = "main\0"u8, snapshot = bytes)
            {
                Connection.Check(NativeMethods.sqlite3_snapshot_open(Connection.Handle, main, snapshot));
            }
        }
        catch
        {
            Connection.Execute("ROLLBACK");
            throw;
        }

        _isInPast = true;
        _snapshotHolders++;
    }

    internal void EndSnapshot()
    {
        if (--_snapshotHolders > 0)
        {
            return;
        }

        if (_isInPast)
        {
            _isInPast = false;
            Connection.Execute("ROLLBACK"); // statements that are not reset yet, if any, end with it
        }
        else if (_mayKeep)
        {
            _isKept = true;
        }
        else
        {
            _openSnapshot.Reset();
        }
    }

    /// <summary>The size that the open transaction sees. Cheap while nobody writes.</summary>
    internal long SizeBytes()
    {
        if (_sizeKnown)
        {
            return _sizeBytes;
        }

        uint version = 0;
        fixed (byte* main = "main\0"u8)
        {
            Connection.Check(NativeMethods.sqlite3_file_control_bytes(Connection.Handle, main, SqliteCodes.FileControlDataVersion, &version));
        }

        // The version moves when others have written; a writer's own changes do not move it.
        if (IsWriter || _sizeBytes < 0 || version != _sizeVersion)
        {
            _sizeBytes = Connection.QueryInteger("PRAGMA page_count") * _pageSizeBytes;

            _sizeVersion = version;
        }

        _sizeKnown = !IsWriter;
        return _sizeBytes;
    }
}
