using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>Only confirmed frames reach the main file, and the sidecar never promises more than it holds.</summary>
public sealed class CheckpointerTests
{
    private static readonly DatabaseId _database = new(new Guid("11111111-2222-3333-4444-555555555555"));

    [Fact]
    public void A_complete_checkpoint_moves_both_positions_and_the_main_file_is_that_state()
    {
        using var folder = new TemporaryFolder();
        using var pair = Create(folder);
        using var checkpointer = Checkpointer.Open(pair.PrimaryPath, _database);
        pair.Writer.Execute("CREATE TABLE t(a); INSERT INTO t VALUES (1)");
        Assert.True(checkpointer.Run(At(2)).IsComplete);
        Assert.Equal(new Sidecar(_database, At(2), At(2)), Sidecar.Read(Sidecar.PathOf(pair.PrimaryPath)));
        AssertMainFileEquals(folder, pair.PrimaryPath, PageImages.Read(pair.PrimaryPath));
    }

    [Fact]
    public void Nothing_behind_the_boundary_reaches_the_main_file()
    {
        using var folder = new TemporaryFolder();
        using var pair = Create(folder);
        using var checkpointer = Checkpointer.Open(pair.PrimaryPath, _database);
        using var boundary = PinnedSnapshot.Open(pair.PrimaryPath);
        pair.Writer.Execute("CREATE TABLE t(a); INSERT INTO t VALUES ('confirmed')");
        boundary.Take();
        Assert.True(boundary.IsHeld);
        pair.Writer.Execute("CREATE TABLE u(a); INSERT INTO u VALUES ('unconfirmed')");
        Assert.False(checkpointer.Run(At(2)).IsComplete);
        Assert.Equal(new Sidecar(_database, Position.Start, At(2)), checkpointer.Sidecar);
        FileCopy.Take(pair.PrimaryPath, folder.File("copy.db"), withWal: false);
        Assert.DoesNotContain("unconfirmed", System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(folder.File("copy.db"))), StringComparison.Ordinal);

        boundary.Take(); // everything up to here is confirmed now
        Assert.True(checkpointer.Run(At(4)).IsComplete);
        Assert.Equal(new Sidecar(_database, At(4), At(4)), checkpointer.Sidecar);
        boundary.Release();
        Assert.False(boundary.IsHeld);
        AssertMainFileEquals(folder, pair.PrimaryPath, PageImages.Read(pair.PrimaryPath));
    }

    [Fact]
    public void After_a_checkpoint_to_a_boundary_the_main_file_is_not_the_state_there()
    {
        // Why 'from' stays: SQLite backfills a page only if its newest frame lies below the boundary.
        using var folder = new TemporaryFolder();
        using var pair = Create(folder);
        using var checkpointer = Checkpointer.Open(pair.PrimaryPath, _database);
        using var boundary = PinnedSnapshot.Open(pair.PrimaryPath);
        pair.Writer.Execute("CREATE TABLE t(a)");
        Assert.True(checkpointer.Run(At(1)).IsComplete);
        pair.Writer.Execute("INSERT INTO t VALUES ('at the boundary')");
        boundary.Take();
        pair.Writer.Execute("UPDATE t SET a = 'behind the boundary'");
        var result = checkpointer.Run(At(2));
        Assert.Equal(result.FramesInWal - 1, result.FramesBackfilled);
        FileCopy.Take(pair.PrimaryPath, folder.File("copy.db"), withWal: false);
        using var copy = SqliteConnection.Open(folder.File("copy.db"));
        Assert.Equal(0, copy.QueryInteger("SELECT count(*) FROM t"));
        Assert.Equal(At(1), checkpointer.Sidecar.From);
    }

    [Fact]
    public void An_old_reader_keeps_the_positions_and_the_WAL_where_they_are()
    {
        using var folder = new TemporaryFolder();
        using var pair = Create(folder);
        using var checkpointer = Checkpointer.Open(pair.PrimaryPath, _database);
        using var reader = SqliteConnection.Open(pair.PrimaryPath);
        pair.Writer.Execute("CREATE TABLE t(a)");
        reader.Execute("BEGIN; SELECT count(*) FROM t");
        pair.Writer.Execute("INSERT INTO t VALUES (1)");
        Assert.False(checkpointer.Run(At(2)).IsComplete);
        Assert.False(checkpointer.RestartWal(At(2)));
        Assert.Equal(Position.Start, checkpointer.Sidecar.From);
        Assert.Equal(0, reader.QueryInteger("SELECT count(*) FROM t"));
        reader.Execute("COMMIT");
        Assert.True(checkpointer.RestartWal(At(2)));
        Assert.Equal(At(2), checkpointer.Sidecar.From);
        Assert.Equal(0, new FileInfo(WalFile.PathOf(pair.PrimaryPath)).Length);
    }

    [Fact]
    public void A_restart_with_hidden_frames_does_not_happen()
    {
        using var folder = new TemporaryFolder();
        using var pair = Create(folder);
        using var checkpointer = Checkpointer.Open(pair.ReplicaPath, _database);
        pair.Applier.Confirm(pair.Ship("CREATE TABLE t(a)"));
        var hidden = pair.Ship("INSERT INTO t VALUES (1)");
        Assert.False(checkpointer.RestartWal(At(1)));
        Assert.True(checkpointer.Run(At(1)).IsComplete); // what is visible can be backfilled all the same
        AssertMainFileEquals(folder, pair.ReplicaPath, PageImages.Read(pair.ReplicaPath));
        pair.Applier.Confirm(hidden);
        Assert.True(checkpointer.RestartWal(At(2)));
        Assert.Equal(0, pair.Applier.HiddenTransactions);
        pair.Applier.Confirm(pair.Ship("INSERT INTO t VALUES (2)"));
        PageImages.AssertEqual(PageImages.Read(pair.PrimaryPath), PageImages.Read(pair.ReplicaPath));
    }

    [Fact]
    public void Endless_overlapping_readers_keep_the_WAL_until_new_ones_are_held_back()
    {
        using var folder = new TemporaryFolder();
        using var pair = Create(folder);
        using var checkpointer = Checkpointer.Open(pair.ReplicaPath, _database);
        using var first = SqliteConnection.Open(pair.ReplicaPath);
        using var second = SqliteConnection.Open(pair.ReplicaPath);
        pair.Applier.Confirm(pair.Ship("CREATE TABLE t(a)"));
        Enter(first);
        for (var i = 2ul; i < 40; i++)
        {
            // One is always inside, and always on the WAL, for something new came since the last checkpoint.
            pair.Applier.Confirm(pair.Ship("INSERT INTO t VALUES (1)"));
            var (arriving, leaving) = i % 2 == 0 ? (second, first) : (first, second);
            Enter(arriving);
            Assert.False(checkpointer.RestartWal(At(i)));
            leaving.Execute("COMMIT");
            Assert.False(checkpointer.RestartWal(At(i)));
        }

        // Held back: nobody arrives, the last one leaves, and it takes one attempt.
        first.Execute("COMMIT");
        Assert.True(checkpointer.RestartWal(At(40)));

        static void Enter(SqliteConnection reader) => reader.Execute("BEGIN; SELECT count(*) FROM t");
    }

    [Fact]
    public void A_file_that_is_not_synced_has_no_sidecar_until_the_first_checkpoint()
    {
        using var folder = new TemporaryFolder();
        using var pair = Create(folder);
        File.Delete(Sidecar.PathOf(pair.PrimaryPath));
        using var checkpointer = Checkpointer.Open(pair.PrimaryPath, _database, new Sidecar(_database, At(5), At(5)));
        pair.Writer.Execute("CREATE TABLE t(a); INSERT INTO t VALUES (1)");
        Assert.False(File.Exists(Sidecar.PathOf(pair.PrimaryPath)));
        using var reader = PinnedSnapshot.Open(pair.PrimaryPath); // in the way of the next
        reader.Take();
        pair.Writer.Execute("INSERT INTO t VALUES (2)");
        Assert.False(checkpointer.Run(At(7)).IsComplete);
        Assert.Equal(new Sidecar(_database, At(5), At(7)), Sidecar.Read(Sidecar.PathOf(pair.PrimaryPath)));
        reader.Take();
        Assert.True(checkpointer.Run(At(7)).IsComplete);
        Assert.Equal(new Sidecar(_database, At(7), At(7)), Sidecar.Read(Sidecar.PathOf(pair.PrimaryPath)));
    }

    [Fact]
    public void A_missing_or_foreign_sidecar_is_refused()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("a.db");
        DatabaseFile.CreateEmpty(path);
        Assert.Contains("has no sidecar", Assert.Throws<InvalidDataException>(() => Checkpointer.Open(path, _database)).Message, StringComparison.Ordinal);
        new Sidecar(new DatabaseId(Guid.Empty), Position.Start, Position.Start).Write(Sidecar.PathOf(path));
        Assert.Contains("belongs to database", Assert.Throws<InvalidDataException>(() => Checkpointer.Open(path, _database)).Message, StringComparison.Ordinal);
        LocalFile.DiscardWal(path); // neither left a connection behind
    }

    private static ReplicaPair Create(TemporaryFolder folder)
    {
        var pair = new ReplicaPair(folder.Root);
        new Sidecar(_database, Position.Start, Position.Start).Write(Sidecar.PathOf(pair.PrimaryPath));
        new Sidecar(_database, Position.Start, Position.Start).Write(Sidecar.PathOf(pair.ReplicaPath));
        return pair;
    }

    private static Position At(ulong sequence) => new(1, sequence, new ChainHash(sequence, 0));

    private static void AssertMainFileEquals(TemporaryFolder folder, string path, byte[][] expected)
    {
        FileCopy.Take(path, folder.File("main.db"), withWal: false);
        PageImages.AssertEqual(expected, PageImages.Read(folder.File("main.db")));
    }
}
