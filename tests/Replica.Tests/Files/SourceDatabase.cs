using ReplicatedSqlite.Journal;
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
    private EpochTable _epochs = EpochTable.Empty;
    private uint _epoch;

    public SourceDatabase(string path, DatabaseId database)
    {
        (_path, _database) = (path, database);
        if (!File.Exists(path))
        {
            DatabaseFile.CreateEmpty(path, 4096);
        }

        _connection = SqliteConnection.Open(path);
        _capture = new WalCapture(_connection);
        OpenEpoch(1);
    }

    private SourceDatabase(string path, SourceDatabase origin)
    {
        (_path, _database, End, _epoch, _epochs) = (path, origin._database, origin.End, origin._epoch, origin._epochs);
        _connection = SqliteConnection.Open(path);
        _capture = new WalCapture(_connection);
    }

    public Position End { get; private set; }

    public Entry Write(string sql)
    {
        _connection.Execute(sql);
        Assert.True(_capture.Capture(_pages));
        var builder = new EntryBuilder(Header(_pages.DatabaseSizePages), _pages.Count);
        for (var i = 0; i < _pages.Count; i++)
        {
            _pages.Page(i).CopyTo(builder.AddPage(_pages.PageNumber(i)));
        }

        _pages.Clear();
        var entry = builder.Build();
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

    public void Dispose()
    {
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
        PageSizeBytes = 4096,
        DatabaseSizePages = sizePages,
        CommitTimeMicroseconds = 1,
    };
}
