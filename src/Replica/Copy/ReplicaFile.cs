using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Replica;

/// <summary>A replica's database file with everything that is open on it.</summary>
/// <remarks>The feed's loop is the one owner: it appends, publishes, checkpoints and restarts the WAL, one after the other. Readers use <see cref="Readers"/> meanwhile.</remarks>
internal sealed class ReplicaFile : IAsyncDisposable
{
    private readonly SqliteConnection _connection; // of the applier, and for nothing else
    private readonly WalIndexApplier _applier;
    private readonly Checkpointer _checkpointer;
    private readonly Queue<(Position Position, long Ordinal)> _hidden = new();
    private readonly PageReplay _replay;
    private byte[] _page = []; // the one that is being made
    private long _lastOrdinal;
    private bool _isWalEmpty; // since its restart; the applier notices that only when it writes again
    private long _attemptedAt; // WAL size at the last checkpoint, whether it was complete or not

    private readonly string _path;

    private ReplicaFile(string path, SqliteConnection connection, WalIndexApplier applier, Checkpointer checkpointer, DatabaseReaders readers)
    {
        _path = path;
        _connection = connection;
        _applier = applier;
        _checkpointer = checkpointer;
        _replay = new PageReplay(checkpointer.Sidecar.To);
        Readers = readers;
    }

    /// <summary>Connections for queries.</summary>
    public DatabaseReaders Readers { get; }

    /// <summary>Snapshots of it that are being sent.</summary>
    public OpenSnapshots Snapshots { get; } = new();

    /// <summary>Which state the main file holds, and how new its pages may be. May be looked at by any thread.</summary>
    public Sidecar Sidecar => _checkpointer.Sidecar;

    /// <summary>The WAL's live part.</summary>
    public long WalSizeBytes => _isWalEmpty ? 0 : _applier.WalSizeBytes;

    /// <summary>What has been written since the last checkpoint, complete or not.</summary>
    public long UncheckpointedBytes => Math.Max(0, WalSizeBytes - _attemptedAt);

    /// <summary>All that readers see is in the main file.</summary>
    public bool IsCheckpointed { get; private set; }

    /// <summary>Entries in the WAL that readers do not see.</summary>
    public long Hidden => _applier.HiddenTransactions;

    /// <summary>Opens what the last run left: main file and sidecar. The WAL beside them is not trusted, it goes.</summary>
    /// <returns><see langword="null"/> if there is no copy.</returns>
    /// <exception cref="InvalidDataException">There is one, but it is damaged.</exception>
    public static ReplicaFile? TryOpen(string path, DatabaseId database, ReaderOptions options)
    {
        if (!File.Exists(path) || !File.Exists(Sidecar.PathOf(path)))
        {
            return null;
        }

        MainFile.Check(path, Sidecar.Read(Sidecar.PathOf(path))!); // before SQLite makes a database of an empty file
        LocalFile.DiscardWal(path);
        SqliteConnection? connection = null;
        WalIndexApplier? applier = null;
        Checkpointer? checkpointer = null;
        try
        {
            checkpointer = Checkpointer.Open(path, database);
            connection = SqliteConnection.Open(path);
            applier = WalIndexApplier.Open(connection);
            return new ReplicaFile(path, connection, applier, checkpointer, DatabaseReaders.Open(path, options));
        }
        catch
        {
            applier?.Dispose();
            connection?.Dispose();
            checkpointer?.Dispose();
            throw;
        }
    }

    /// <summary>Writes an entry into the WAL, hidden.</summary>
    /// <exception cref="PageMismatchException">This copy is not the one that the entry was made for. The entry was not taken.</exception>
    public void Append(Entry entry)
    {
        _replay.Begin(entry);
        if (!entry.Header.IsEpochEntry)
        {
            AppendPages(entry); // an epoch entry changes none, so there is nothing to write
        }

        _hidden.Enqueue((entry.End, _lastOrdinal));
        _replay.End(entry, (number, page) => _applier.ReadPage(number, page));
    }

    /// <summary>Shows readers everything up to a position.</summary>
    public void Publish(Position position)
    {
        long? last = null;
        while (_hidden.TryPeek(out var next) && next.Position <= position)
        {
            last = _hidden.Dequeue().Ordinal;
        }

        if (last is { } ordinal)
        {
            IsCheckpointed = false;
            _applier.Confirm(ordinal); // all of them at once: one move of the WAL-index's header
        }
    }

    /// <summary>Drops the hidden entries after a position.</summary>
    public void DiscardAfter(Position position)
    {
        var kept = _hidden.Where(hidden => hidden.Position <= position).ToList();
        _hidden.Clear();
        kept.ForEach(_hidden.Enqueue);
        var confirmed = _lastOrdinal - _applier.HiddenTransactions;
        _lastOrdinal = kept.Count > 0 ? kept[^1].Ordinal : confirmed;
        _applier.DiscardAfter(_lastOrdinal);
    }

    /// <summary>Brings what readers see into the main file. Waits for nobody; blocks for the disk.</summary>
    /// <param name="visible">What readers see.</param>
    /// <param name="state">What is known of the log up to there, or beyond: a primary that begins with this file needs it.</param>
    public void Checkpoint(Position visible, LogState state)
    {
        LogStateFile.Write(LogStateFile.PathOf(_path), state); // first: it must be there once the sidecar has passed what it tells of
        Readers.LetGo(); // a kept snapshot would be an old reader
        IsCheckpointed = _checkpointer.Run(visible).IsComplete;
        Readers.LetGo(); // what comes now reads the main file alone, and does not stand in a restart's way
        _attemptedAt = WalSizeBytes;
    }

    /// <summary>Empties the WAL. Nothing is hidden in it; the caller holds readers back.</summary>
    public bool RestartWal(Position visible, LogState state)
    {
        LogStateFile.Write(LogStateFile.PathOf(_path), state);
        var restarted = _checkpointer.RestartWal(visible);
        if (restarted)
        {
            _attemptedAt = 0;
            _isWalEmpty = true;
            IsCheckpointed = true;
        }

        return restarted;
    }

    private void AppendPages(Entry entry)
    {
        if (_page.Length != entry.Header.PageSizeBytes)
        {
            _page = new byte[entry.Header.PageSizeBytes];
        }

        _applier.BeginTransaction(entry.Header.DatabaseSizePages);
        _isWalEmpty = false;
        try
        {
            foreach (var record in entry.Pages)
            {
                if (record.IsPatch)
                {
                    _applier.ReadPage(record.PageNumber, _page); // as new as the predecessor, hidden or not: what was discarded is gone from there
                }

                _replay.Set(entry, record, _page);
                _applier.WritePage(record.PageNumber, _page);
            }

            _lastOrdinal = _applier.EndTransaction();
        }
        catch
        {
            _applier.AbortTransaction();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Snapshots.CloseAsync();
        await Readers.DisposeAsync();
        _applier.Dispose();
        _connection.Dispose();
        _checkpointer.Dispose();
    }
}
