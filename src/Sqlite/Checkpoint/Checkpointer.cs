using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Brings confirmed frames from the WAL into the main file, and keeps the sidecar true while doing so.</summary>
/// <remarks>
/// <para>Each call is a turn of the owner who also commits or applies: never beside a commit. Only confirmed frames may be in its reach: on a replica all
/// that is visible is confirmed; on the primary a <see cref="PinnedSnapshot"/> marks the boundary, or nothing unconfirmed is left.</para>
/// <para>The sidecar's <c>from</c> moves only when the checkpoint came to the end of the WAL. One that stops earlier, at a boundary or an old reader,
/// leaves out each page that has a newer frame beyond the boundary, and each that lies beyond the present end of the database; so the main file is
/// then not the state at the boundary, and replay must start from the old <c>from</c>. See docs/adr/ on partial checkpoints.</para>
/// </remarks>
public sealed class Checkpointer : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly SqliteFileObject _file;
    private readonly string _sidecarPath;
    private Sidecar _sidecar;
    private bool _isWritten; // the sidecar is there
    private bool _isLost; // the new file could not be synced

    private Checkpointer(SqliteConnection connection, Sidecar sidecar, bool isWritten)
    {
        _isWritten = isWritten;
        _connection = connection;
        _sidecarPath = Sidecar.PathOf(connection.Path);
        _sidecar = sidecar;
        _file = SqliteFileObject.Of(connection);
        connection.SetBusyTimeout(TimeSpan.Zero); // a turn of the owner waits for no reader: it comes again
        connection.Execute("PRAGMA synchronous=FULL"); // the writer may commit without syncs, a checkpoint may not
    }

    /// <summary>What the sidecar says now.</summary>
    public Sidecar Sidecar => _sidecar;

    /// <summary>Opens a connection of its own, and reads the sidecar.</summary>
    /// <param name="path">The main file.</param>
    /// <param name="database">Whose.</param>
    /// <param name="unsynced">Of a file that was made just now, and not synced: which state it holds. It gets its sidecar, synced, before the first checkpoint.</param>
    /// <exception cref="InvalidDataException">There is no sidecar, it is damaged, or it belongs to another database.</exception>
    /// <exception cref="SqliteException">SQLite could not open the file.</exception>
    public static Checkpointer Open(string path, DatabaseId database, Sidecar? unsynced = null)
    {
        var sidecarPath = Sidecar.PathOf(path);
        var sidecar = unsynced ?? Sidecar.Read(sidecarPath) ?? throw new InvalidDataException(
            $"'{path}' has no sidecar '{sidecarPath}', so nobody knows which state it holds. Build the copy again.");
        if (sidecar.Database != database)
        {
            throw new InvalidDataException($"The sidecar '{sidecarPath}' belongs to database {sidecar.Database}, expected {database}.");
        }

        var connection = SqliteConnection.Open(path);
        try
        {
            return new Checkpointer(connection, sidecar, isWritten: unsynced is null);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Backfills what can be without waiting for anybody (PASSIVE), and syncs it.</summary>
    /// <param name="confirmed">The position of the last transaction in the checkpoint's reach: of the boundary, or of the last visible one.</param>
    public CheckpointResult Run(Position confirmed)
    {
        NoteTo(confirmed);
        var result = Checkpoint(SqliteCodes.CheckpointPassive, out _);
        if (result.IsComplete)
        {
            NoteFrom(confirmed);
        }

        return result;
    }

    /// <summary>Backfills everything and empties the WAL (TRUNCATE).</summary>
    /// <param name="confirmed">The position of the last visible transaction: everything in the WAL is confirmed, nothing is hidden in it.</param>
    /// <returns><see langword="false"/>: readers are still on the WAL; hold new ones back until those are gone, and try again.</returns>
    /// <remarks>
    /// Readers that came after a complete <see cref="Run"/> read the main file alone and do not stand in the way; so run that first, and hold new readers
    /// back only if the old ones do not go away by themselves.
    /// </remarks>
    public bool RestartWal(Position confirmed)
    {
        NoteTo(confirmed);
        var result = Checkpoint(SqliteCodes.CheckpointTruncate, out var restarted);
        if (result.IsComplete)
        {
            NoteFrom(confirmed);
        }

        return restarted;
    }

    /// <summary>Closes the connection.</summary>
    public void Dispose() => _connection.Dispose();

    private CheckpointResult Checkpoint(int mode, out bool ok)
    {
        var code = NativeMethods.sqlite3_wal_checkpoint_v2(_connection.Handle, "main", mode, out var inWal, out var backfilled);
        ok = code == SqliteCodes.Ok;
        if (!ok && SqliteCodes.Primary(code) != SqliteCodes.Busy)
        {
            throw _connection.Error(code);
        }

        // Busy before SQLite looked at the WAL leaves -1: another checkpoint is under way, nothing is known.
        return inWal < 0 ? new(1, 0) : new(inWal, backfilled);
    }

    // A failed sync is never tried again: the kernel tells of lost pages once, and the next sync would succeed without them. Without a sidecar the file is built again.
    private void SyncNew()
    {
        if (_isLost)
        {
            throw new IOException("The new file could not be synced; it has to be built again.");
        }

        try
        {
            _file.Sync();
        }
        catch
        {
            _isLost = true;
            throw;
        }
    }

    private void NoteTo(Position confirmed)
    {
        if (!_isWritten)
        {
            SyncNew();
            Write(_sidecar);
        }

        if (confirmed < _sidecar.To)
        {
            return; // an earlier round has promised more already, and may have brought it in
        }

        if (_sidecar.To != confirmed)
        {
            Write(_sidecar with { To = confirmed });
        }
    }

    private void NoteFrom(Position confirmed)
    {
        if (_sidecar.From != confirmed)
        {
            _file.Sync(); // SQLite has synced what it wrote just now; a complete earlier round is synced with it
            Write(_sidecar with { From = confirmed });
        }
    }

    private void Write(Sidecar sidecar)
    {
        sidecar.Write(_sidecarPath);
        (_sidecar, _isWritten) = (sidecar, true);
    }
}
