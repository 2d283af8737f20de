using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>The primary's database file with everything that is open on it.</summary>
/// <remarks>The writer's turns own it: they write, capture, checkpoint and restart the WAL, one after the other. Readers use <see cref="Readers"/> meanwhile.</remarks>
internal sealed class PrimaryFile : IAsyncDisposable
{
    private readonly QueryConnection _connection;
    private readonly WalCapture _capture;
    private readonly Checkpointer _checkpointer;
    private readonly PageSet _pages = new();
    private readonly EntryEncoder _encoder;
    private readonly Task _synced; // of a file that was made just now
    private StateBefore? _beforeVacuum; // written under the commit lock
    private long _attemptedAt; // WAL size at the last checkpoint, whether it was complete or not

    private PrimaryFile(string path, QueryConnection connection, WalCapture capture, Checkpointer checkpointer, ReaderOptions readers, ImageBudget images, Sidecar? unsynced)
    {
        Path = path;
        _synced = unsynced is null ? Task.CompletedTask : Task.Factory.StartNew(() => SyncAside(unsynced.Database), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        _connection = connection;
        _capture = capture;
        _checkpointer = checkpointer;
        _encoder = new EntryEncoder(images);
        Writer = new GroupWriter(connection);
        Readers = DatabaseReaders.Open(path, readers);
    }

    public string Path { get; }

    /// <summary>Runs groups of writes.</summary>
    public GroupWriter Writer { get; }

    /// <summary>Connections for queries.</summary>
    public DatabaseReaders Readers { get; }

    /// <summary>What the file showed before what may not be confirmed yet.</summary>
    public ConfirmedStates States { get; } = new();

    /// <summary>While a VACUUM runs: what the file showed before it. SQLite can open that as long as nothing of the VACUUM is in the WAL, and beside readers who have it open.</summary>
    public StateBefore? BeforeVacuum => Volatile.Read(ref _beforeVacuum);

    /// <summary>Bytes of a page.</summary>
    public int PageSizeBytes => _capture.PageSizeBytes;

    /// <summary>The WAL's live part.</summary>
    public long WalSizeBytes => _capture.WalSizeBytes;

    /// <summary>What has been written since the last checkpoint, complete or not: one that an old reader stops is not tried again for every write.</summary>
    public long UncheckpointedBytes
    {
        get
        {
            if (WalSizeBytes < _attemptedAt)
            {
                _attemptedAt = 0; // SQLite has begun the WAL anew, as it does when all of it is in the main file
            }

            return WalSizeBytes - _attemptedAt;
        }
    }

    /// <summary>A checkpoint would not wait for a file that is on its way to the disk.</summary>
    public bool IsSynced => _synced.IsCompleted;

    /// <summary>Everything is in the main file.</summary>
    public bool IsCheckpointed { get; private set; }

    /// <summary>The size after the last capture.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>Opens a file that is at the end of its log already.</summary>
    /// <param name="path">The main file.</param>
    /// <param name="database">Whose.</param>
    /// <param name="readers">How it is read.</param>
    /// <param name="images">Bounds what is remembered of pages.</param>
    /// <param name="unsynced">Of a file that was made just now and is not on the disk: what its sidecar is to say once it is.</param>
    public static PrimaryFile Open(string path, DatabaseId database, ReaderOptions readers, ImageBudget images, Sidecar? unsynced = null)
    {
        QueryConnection? connection = null;
        WalCapture? capture = null;
        Checkpointer? checkpointer = null;
        try
        {
            checkpointer = Checkpointer.Open(path, database, unsynced);
            connection = QueryConnection.OpenForWriting(path, create: false, readers.Connections);
            capture = new WalCapture(connection.Connection);
            var file = new PrimaryFile(path, connection, capture, checkpointer, readers, images, unsynced);
            file.SizeBytes = connection.Connection.QueryInteger("PRAGMA page_count") * file.PageSizeBytes;
            return file;
        }
        catch
        {
            capture?.Dispose();
            connection?.Dispose();
            checkpointer?.Dispose();
            throw;
        }
    }

    /// <summary>Begins a transaction that a client leads. Nothing else writes until it has ended.</summary>
    /// <exception cref="RequestException">SQLite refused.</exception>
    public InteractiveTransaction BeginTransaction() => new(_connection);

    /// <summary>Runs SQL of the engine's own that only reads.</summary>
    /// <exception cref="RequestException">SQLite refused.</exception>
    public T RunOwn<T>(Func<OwnerSql, T> own)
    {
        try
        {
            return own(Writer.Owner);
        }
        catch (SqliteException error)
        {
            throw new RequestException(ErrorCodes.Internal, $"The table of idempotency keys could not be read: {error.Message}");
        }
    }

    // So that the first checkpoint has little left to sync. Through a connection of its own: closing another handle would drop SQLite's locks.
    private void SyncAside(DatabaseId database)
    {
        try
        {
            using var file = LiveMainFile.Open(Path, database);
            file.Sync();
        }
        catch (Exception e) when (e is SqliteException or IOException)
        {
            // The checkpoint syncs it, and says what is wrong.
        }
    }

    /// <summary>The entry for what was committed since the last capture.</summary>
    /// <returns><see langword="null"/> if no page changed.</returns>
    public Entry? Capture(DatabaseId database, Position predecessor, int writes, long commitTimeMicroseconds)
    {
        if (!_capture.Capture(_pages) || _pages.Count == 0)
        {
            return null;
        }

        SizeBytes = (long)_pages.DatabaseSizePages * _pages.PageSizeBytes;
        IsCheckpointed = false;
        var entry = _encoder.Encode(
            new EntryHeader
            {
                Database = database,
                Epoch = predecessor.Epoch,
                FirstSequence = predecessor.Sequence + 1,
                LastSequence = predecessor.Sequence + (ulong)writes,
                Predecessor = predecessor,
                DatabaseSizePages = _pages.DatabaseSizePages,
                PageSizeBytes = _pages.PageSizeBytes,
                CommitTimeMicroseconds = commitTimeMicroseconds,
            },
            _pages);
        _pages.Clear();
        return entry;
    }

    /// <summary>Notes what the last capture has made of the file. Under the commit lock.</summary>
    public void NoteState(Position before, Position after, Position confirmed) => States.Add(before, _capture.VisibleBefore, after, _capture.Visible, confirmed);

    /// <summary>A VACUUM begins, under the commit lock: until it has ended, readers need not wait for that lock.</summary>
    public void BeginVacuum(Position end) => Volatile.Write(ref _beforeVacuum, new StateBefore(end, _capture.Visible));

    /// <summary>It has ended, and is not in the log yet: whoever hears of its position must not be shown what was before.</summary>
    public void EndVacuum() => Volatile.Write(ref _beforeVacuum, null);

    /// <summary>What was captured last may not have become part of the log: no patch is made against it.</summary>
    public void ForgetImages() => _encoder.Forget();

    /// <summary>Brings everything into the main file. Everything in the WAL is confirmed, and no write is under way.</summary>
    /// <returns>Whether all of it got there.</returns>
    public bool Checkpoint(Position confirmed, LogState state)
    {
        LogStateFile.Write(LogStateFile.PathOf(Path), state); // first: what it tells of may be trimmed once the sidecar has passed it
        Readers.LetGo(); // a kept snapshot would be an old reader
        IsCheckpointed = _checkpointer.Run(confirmed).IsComplete;
        Readers.LetGo(); // what comes now reads the main file alone, and lets SQLite begin the WAL anew
        _attemptedAt = WalSizeBytes;
        return IsCheckpointed;
    }

    /// <summary>Empties the WAL, under the same conditions; the caller holds readers back.</summary>
    /// <returns><see langword="false"/>: a reader is still on it.</returns>
    public bool RestartWal(Position confirmed, LogState state)
    {
        LogStateFile.Write(LogStateFile.PathOf(Path), state); // first: what it tells of may be trimmed once the sidecar has passed it
        var restarted = _checkpointer.RestartWal(confirmed);
        if (restarted)
        {
            _attemptedAt = 0;
            IsCheckpointed = true;
            _capture.Capture(_pages); // takes note of the new salts; nothing was committed
        }

        return restarted;
    }

    public async ValueTask DisposeAsync()
    {
        await _synced;
        await Readers.DisposeAsync();
        _encoder.Dispose();
        Writer.Dispose();
        _capture.Dispose();
        _connection.Dispose();
        _checkpointer.Dispose();
    }
}

/// <summary>A state of the file that SQLite can open again.</summary>
/// <param name="End">Where the log ends in it.</param>
/// <param name="Visible">The WAL-index's header of it.</param>
internal sealed record StateBefore(Position End, WalIndexHeader Visible);
