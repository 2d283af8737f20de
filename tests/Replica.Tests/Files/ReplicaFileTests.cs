using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Replica.Tests;

public sealed class ReplicaFileTests : IDisposable
{
    private static readonly DatabaseId _database = new(new Guid(1, 0, 0, new byte[8]));

    private readonly TemporaryFolder _folder = new();
    private readonly SourceDatabase _source;

    public ReplicaFileTests() => _source = new SourceDatabase(System.IO.Path.Combine(_folder.Path, "source.sqlite"), _database);

    private string FilePath => System.IO.Path.Combine(_folder.Path, "db.sqlite");

    [Fact]
    public async Task Hidden_entries_are_not_seen_until_they_are_published_all_at_once()
    {
        await using var file = Create();
        var create = _source.Write("CREATE TABLE t (x)");
        var inserts = Enumerable.Range(0, 5).Select(i => _source.Write($"INSERT INTO t VALUES ({i})")).ToList();
        file.Append(create);
        file.Publish(create.End);
        inserts.ForEach(file.Append);
        Assert.Equal((0, 5), (Count(), file.Hidden));
        file.Publish(inserts[2].End);
        Assert.Equal((3, 2), (Count(), file.Hidden));
        file.Publish(inserts[4].End);
        Assert.Equal((5, 0), (Count(), file.Hidden));
    }

    [Fact]
    public async Task A_discarded_tail_leaves_nothing_behind_and_another_takes_its_place()
    {
        await using var file = Create();
        var create = _source.Write("CREATE TABLE t (x)");
        file.Append(create);
        file.Publish(create.End);
        var kept = _source.Write("INSERT INTO t VALUES (1)");
        var fork = _source.Fork(System.IO.Path.Combine(_folder.Path, "fork.sqlite"));
        file.Append(kept);
        file.Append(_source.Write("INSERT INTO t VALUES (-1)"));
        file.Append(_source.Write("INSERT INTO t VALUES (-1)"));
        file.DiscardAfter(kept.End);
        file.Append(fork.OpenEpoch(2));
        var other = fork.Write("INSERT INTO t VALUES (2)");
        file.Append(other);
        file.Append(fork.Write("INSERT INTO t VALUES (3)"));
        file.DiscardAfter(other.End);
        file.Publish(other.End);
        Assert.Equal([1, 2], Values());
        fork.Dispose();
    }

    [Fact]
    public async Task An_epochs_entry_moves_the_position_and_changes_no_page()
    {
        await using var file = Create();
        var create = _source.Write("CREATE TABLE t (x)");
        file.Append(create);
        var epoch = _source.OpenEpoch(2);
        file.Append(epoch);
        var insert = _source.Write("INSERT INTO t VALUES (1)");
        file.Append(insert);
        file.Publish(epoch.End);
        Assert.Equal((0, 1), (Count(), file.Hidden));
        file.DiscardAfter(epoch.End);
        Assert.Equal(0, file.Hidden);
        file.Append(insert);
        file.Publish(insert.End);
        Assert.Equal(1, Count());
    }

    [Fact]
    public async Task A_restart_begins_at_the_sidecars_from_and_replays_over_newer_pages()
    {
        var entries = new List<Entry> { _source.Write("CREATE TABLE t (x)") };
        await using (var file = Create())
        {
            file.Append(entries[0]);
            file.Publish(entries[0].End);
            file.Checkpoint(entries[0].End, LogState.Empty);
            using var reader = SqliteConnection.Open(FilePath);
            reader.Execute("BEGIN");
            reader.QueryInteger("SELECT count(*) FROM t");
            for (var i = 0; i < 20; i++)
            {
                entries.Add(_source.Write($"INSERT INTO t VALUES ({i})"));
                file.Append(entries[^1]);
                file.Publish(entries[^1].End);
            }

            file.Checkpoint(entries[^1].End, LogState.Empty); // the reader stops it: nothing may be promised for `from`
            Assert.False(file.IsCheckpointed);
            reader.Execute("COMMIT");
        }

        var sidecar = Sidecar.Read(Sidecar.PathOf(FilePath))!;
        Assert.Equal((entries[0].End, entries[^1].End), (sidecar.From, sidecar.To));
        await using var again = ReplicaFile.TryOpen(FilePath, _database, new ReaderOptions())!;
        foreach (var entry in entries.Skip(1))
        {
            again.Append(entry);
            again.Publish(entry.End);
        }

        Assert.Equal(20, Count());
    }

    [Fact]
    public async Task The_WAL_is_restarted_and_the_log_goes_on()
    {
        await using var file = Create();
        var create = _source.Write("CREATE TABLE t (x)");
        file.Append(create);
        file.Publish(create.End);
        for (var round = 0; round < 5; round++)
        {
            var last = create;
            for (var i = 0; i < 20; i++)
            {
                last = _source.Write("INSERT INTO t VALUES (randomblob(3000))");
                file.Append(last);
                file.Publish(last.End);
            }

            file.Checkpoint(last.End, LogState.Empty);
            Assert.True(file.RestartWal(last.End, LogState.Empty));
            Assert.True(file.WalSizeBytes < 5000);
        }

        Assert.Equal(100, Count());
        using var check = SqliteConnection.Open(FilePath);
        Assert.Equal("ok", check.QueryText("PRAGMA integrity_check"));
    }

    [Fact]
    public async Task Without_a_sidecar_there_is_no_copy_and_a_damaged_one_is_refused()
    {
        await using (Create())
        {
        }

        var sidecar = Sidecar.PathOf(FilePath);
        var bytes = await File.ReadAllBytesAsync(sidecar);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(sidecar, bytes);
        Assert.Contains(sidecar, Assert.Throws<InvalidDataException>(() => ReplicaFile.TryOpen(FilePath, _database, new ReaderOptions())).Message);
        File.Delete(sidecar);
        Assert.Null(ReplicaFile.TryOpen(FilePath, _database, new ReaderOptions()));
    }

    public void Dispose()
    {
        _source.Dispose();
        _folder.Dispose();
    }

    private ReplicaFile Create()
    {
        DatabaseFile.CreateEmpty(FilePath, 4096);
        new Sidecar(_database, Position.Start, Position.Start).Write(Sidecar.PathOf(FilePath));
        return ReplicaFile.TryOpen(FilePath, _database, new ReaderOptions())!;
    }

    private long Count()
    {
        using var reader = SqliteConnection.Open(FilePath);
        return reader.QueryInteger("SELECT count(*) FROM t");
    }

    private List<long> Values()
    {
        using var reader = SqliteConnection.Open(FilePath);
        using var statement = reader.Prepare("SELECT x FROM t ORDER BY x");
        var values = new List<long>();
        while (statement.Step())
        {
            values.Add(statement.GetInteger(0));
        }

        return values;
    }
}
