using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;
using ReplicatedSqlite.Sqlite.Tests;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Replica.Tests;

/// <summary>A database that is written, and copies of it that know only its entries: a replica's file, and a main file under replay.</summary>
internal sealed class PatchedCopies : IAsyncDisposable
{
    private static readonly DatabaseId _database = new(new Guid(1, 0, 0, new byte[8]));

    private readonly TemporaryFolder _folder = new();
    private readonly List<Entry> _log = [];
    private readonly RandomWorkload _workload;
    private readonly LogReplay _replay;
    private int _published; // entries

    public PatchedCopies(Random random, int pageSizeBytes, long cacheBytes)
    {
        Source = new SourceDatabase(Path("source.sqlite"), _database, pageSizeBytes, cacheBytes);
        foreach (var copy in new[] { "replica.sqlite", "replay.sqlite" })
        {
            DatabaseFile.CreateEmpty(Path(copy), pageSizeBytes);
            new Sidecar(_database, Position.Start, Position.Start).Write(Sidecar.PathOf(Path(copy)));
        }

        Replica = ReplicaFile.TryOpen(Path("replica.sqlite"), _database, new ReaderOptions())!;
        _replay = new LogReplay(Path("replay.sqlite"), Position.Start);
        _workload = new RandomWorkload(random, Source.Connection);
        Ship();
    }

    public SourceDatabase Source { get; }

    public ReplicaFile Replica { get; }

    public IReadOnlyList<Entry> Log => _log;

    public string Path(string name) => System.IO.Path.Combine(_folder.Path, name);

    /// <summary>Writes something, and brings it to the copies.</summary>
    public void Step()
    {
        _workload.Step();
        Ship();
    }

    /// <summary>Shows the replica's readers some of what is hidden.</summary>
    public void Publish(int entries)
    {
        _published += Math.Min(_log.Count - _published, entries);
        if (_published > 0)
        {
            Replica.Publish(_log[_published - 1].End);
        }
    }

    /// <summary>Drops some of what is hidden, and brings it again.</summary>
    public void Repeat(int hidden)
    {
        var kept = Math.Max(_published, _log.Count - hidden);
        Replica.DiscardAfter(kept == 0 ? Position.Start : _log[kept - 1].End);
        for (var i = kept; i < _log.Count; i++)
        {
            Replica.Append(_log[i]);
        }
    }

    public void Checkpoint(bool restart)
    {
        Publish(int.MaxValue);
        if (_log.Count > 0)
        {
            Replica.Checkpoint(_log[^1].End, LogState.Empty);
            _ = restart && Replica.RestartWal(_log[^1].End, LogState.Empty);
        }
    }

    /// <summary>Replays again over a file that is newer: from one entry on, though its pages may be as new as another.</summary>
    public void CheckReplayOverNewer(int from)
    {
        _replay.Finish(syncs: true);
        var newest = Path("newer.sqlite");
        File.Copy(Path("replay.sqlite"), newest, overwrite: true);
        using (var again = new LogReplay(newest, _log[^1].End))
        {
            foreach (var entry in _log.Skip(from))
            {
                again.Apply(entry);
            }

            again.Finish(syncs: true);
        }

        CheckFile(newest);
    }

    /// <summary>Both copies are the source, page by page.</summary>
    public void CheckCopies()
    {
        Publish(int.MaxValue);
        _replay.Finish(syncs: true);
        CheckFile(Path("replay.sqlite"));
        Assert.True(Pages(Path("source.sqlite")).SequenceEqual(Pages(Path("replica.sqlite"))), "the replica differs");
    }

    public async ValueTask DisposeAsync()
    {
        _replay.Dispose();
        await Replica.DisposeAsync();
        Source.Dispose();
        _folder.Dispose();
    }

    private void Ship()
    {
        if (Source.Capture() is { } entry)
        {
            var received = Entry.Decode(entry.Encoded);
            _log.Add(received);
            Replica.Append(received);
            _replay.Apply(received);
        }
    }

    // The source's main file is not written while its WAL is not checkpointed, so a reader's view of it is compared.
    private void CheckFile(string path) => Assert.True(Pages(Path("source.sqlite")).SequenceEqual(File.ReadAllBytes(path)), $"{path} differs");

    private static byte[] Pages(string path)
    {
        using var snapshot = SnapshotReader.Open(path);
        using var bytes = new MemoryStream();
        snapshot.CopyTo(bytes);
        return bytes.ToArray();
    }
}
