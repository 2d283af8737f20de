using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Replica.Tests;

/// <summary>A database that plays the primary: each write gives the entry that a primary would ship.</summary>
internal sealed class SourceDatabase : IDisposable
{
    private readonly DatabaseId _database;
    private readonly string _path;
    private readonly SqliteConnection _connection;
    private readonly WalCapture _capture;
    private readonly PageSet _pages = new();
    private readonly EntryEncoder _encoder;
    private EpochTable _epochs = EpochTable.Empty;
    private uint _epoch;

    public SourceDatabase(string path, DatabaseId database, int pageSizeBytes = 4096, long cacheBytes = 1 << 20)
    {
        (_path, _database, _encoder) = (path, database, new EntryEncoder(new ImageBudget(cacheBytes)));
        if (!File.Exists(path))
        {
            DatabaseFile.CreateEmpty(path, pageSizeBytes);
        }

        _connection = SqliteConnection.Open(path);
        _capture = new WalCapture(_connection);
        OpenEpoch(1);
    }

    private SourceDatabase(string path, SourceDatabase origin)
    {
        (_path, _database, End, _epoch, _epochs) = (path, origin._database, origin.End, origin._epoch, origin._epochs);
        _encoder = new EntryEncoder(new ImageBudget(1 << 20));
        _connection = SqliteConnection.Open(path);
        _capture = new WalCapture(_connection);
    }

    public Position End { get; private set; }

    public EpochTable Epochs => _epochs;

    public SqliteConnection Connection => _connection;

    public EntryEncoder Encoder => _encoder;

    public Entry Write(string sql)
    {
        _connection.Execute(sql);
        return Capture() ?? throw new InvalidOperationException($"'{sql}' changed no page.");
    }

    /// <summary>The entry for what was committed; <see langword="null"/> if nothing was.</summary>
    public Entry? Capture()
    {
        if (!_capture.Capture(_pages) || _pages.Count == 0)
        {
            return null;
        }

        var entry = _encoder.Encode(Header(_pages.DatabaseSizePages), _pages);
        _pages.Clear();
        End = entry.End;
        return entry;
    }

    public Entry OpenEpoch(uint epoch)
    {
        _epoch = epoch;
        var entry = EpochEntry.Create(Header((uint)_connection.QueryInteger("PRAGMA page_count")) with { Flags = EntryFlags.EpochEntry }, _epochs);
        _epochs = entry.EpochTable!;
        End = entry.End;
        return entry;
    }

    /// <summary>The same database from here on, which may go another way.</summary>
    public SourceDatabase Fork(string path)
    {
        _connection.Execute("PRAGMA wal_checkpoint(PASSIVE)");
        File.Copy(_path, path);
        return new SourceDatabase(path, this);
    }

    /// <summary>What comes next claims to follow an earlier entry.</summary>
    public void GoBackTo(Position end) => End = end;

    /// <summary>The header of an entry behind a position.</summary>
    public EntryHeader HeaderBehind(Position end, uint sizePages)
    {
        GoBackTo(end);
        return Header(sizePages);
    }

    public void Dispose()
    {
        _encoder.Dispose();
        _capture.Dispose();
        _connection.Dispose();
    }

    private EntryHeader Header(uint sizePages) => new()
    {
        Database = _database,
        Epoch = _epoch,
        FirstSequence = End.Sequence + 1,
        LastSequence = End.Sequence + 1,
        Predecessor = End,
        PageSizeBytes = _capture.PageSizeBytes,
        DatabaseSizePages = sizePages,
        CommitTimeMicroseconds = 1,
    };
}
