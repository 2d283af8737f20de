using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite.Tests;

public sealed class LocalFileTests
{
    private static readonly DatabaseId _database = new(new Guid("11111111-2222-3333-4444-555555555555"));
    private static readonly Position _position = new(1, 7, new ChainHash(1, 2));

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    [InlineData(65536)]
    public void A_new_database_is_the_one_that_SQLite_would_make(int pageSizeBytes)
    {
        using var folder = new TemporaryFolder();
        DatabaseFile.CreateEmpty(folder.File("ours.db"), pageSizeBytes);
        SqliteConnection.Open(folder.File("theirs.db"), create: true, pageSizeBytes: pageSizeBytes).Dispose();
        var (ours, theirs) = (File.ReadAllBytes(folder.File("ours.db")), File.ReadAllBytes(folder.File("theirs.db")));
        foreach (var file in new[] { ours, theirs })
        {
            file.AsSpan(24, 4).Clear(); // how often it was changed, and by which SQLite
            file.AsSpan(92, 8).Clear();
        }

        Assert.Equal(theirs, ours);
        using var connection = SqliteConnection.Open(folder.File("ours.db"));
        Assert.Equal("ok", connection.QueryText("PRAGMA integrity_check"));
        Assert.Throws<IOException>(() => DatabaseFile.CreateEmpty(folder.File("ours.db")));
        Assert.Throws<ArgumentOutOfRangeException>(() => DatabaseFile.CreateEmpty(folder.File("odd.db"), 1000));
    }

    [Fact]
    public void Discarding_the_WAL_goes_back_to_the_main_file()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("a.db");
        DatabaseFile.CreateEmpty(path);
        using (var connection = SqliteConnection.Open(path))
        {
            connection.Execute("CREATE TABLE t(a); PRAGMA wal_checkpoint; INSERT INTO t VALUES (1)");
        }

        LocalFile.DiscardWal(path);
        Assert.Equal([path], Directory.GetFiles(folder.Root));
        using var again = SqliteConnection.Open(path);
        Assert.Equal(0, again.QueryInteger("SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task Files_under_an_open_connection_are_not_touched()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("a.db");
        DatabaseFile.CreateEmpty(path);
        using var first = SqliteConnection.Open(path);
        SqliteConnection.Open(path).Dispose();
        Assert.Throws<InvalidOperationException>(() => LocalFile.DiscardWal(Path.Combine(folder.Root, ".", "a.db")));
        Assert.Throws<InvalidOperationException>(() => LocalFile.Remove(path));
        await Assert.ThrowsAsync<InvalidOperationException>(() => LocalFile.InstallAsync(path, Stream.Null, new(_database, _position, _position)));
        Assert.True(File.Exists(WalFile.PathOf(path)));
        first.Dispose();
        LocalFile.Remove(path);
        Assert.Empty(Directory.GetFiles(folder.Root));
    }

    [Fact]
    public async Task A_snapshot_takes_the_place_of_file_WAL_and_sidecar()
    {
        using var folder = new TemporaryFolder();
        var (source, target) = (folder.File("source.db"), folder.File("target.db"));
        DatabaseFile.CreateEmpty(source, 1024);
        DatabaseFile.CreateEmpty(target, 4096);
        using (var stale = SqliteConnection.Open(target))
        {
            stale.Execute("CREATE TABLE old(a); INSERT INTO old VALUES (zeroblob(50000))"); // a WAL that must not be laid over the new file
        }

        new Sidecar(_database, Position.Start, Position.Start).Write(Sidecar.PathOf(target));
        using var writer = SqliteConnection.Open(source);
        writer.Execute("CREATE TABLE t(a); INSERT INTO t VALUES (randomblob(30000))");
        var image = new MemoryStream();
        using (var snapshot = SnapshotReader.Open(source))
        {
            writer.Execute("INSERT INTO t VALUES (randomblob(90000))"); // later than the snapshot, and not hindered by it
            snapshot.CopyTo(image);
            Assert.Equal(image.Length, snapshot.PageCount * 1024L);
        }

        image.Position = 0;
        var sidecar = new Sidecar(_database, _position, _position);
        await LocalFile.InstallAsync(target, image, sidecar);
        Assert.Equal(sidecar, Sidecar.Read(Sidecar.PathOf(target)));
        Assert.Equal(2, Directory.GetFiles(folder.Root, "target*").Length);
        using var reader = SqliteConnection.Open(target);
        Assert.Equal(1, reader.QueryInteger("SELECT count(*) FROM t"));
        Assert.Equal("ok", reader.QueryText("PRAGMA integrity_check"));
    }

    [Fact]
    public async Task What_is_no_database_is_not_installed()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("a.db");
        DatabaseFile.CreateEmpty(path);
        var good = DatabaseFile.FirstPage(4096);
        foreach (var bad in new[] { [], good[..99], good[..4095], new byte[4096] })
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => LocalFile.InstallAsync(path, new MemoryStream(bad), new(_database, _position, _position)));
        }

        Assert.Equal(good, File.ReadAllBytes(path));
    }

    [Fact]
    public void A_snapshot_stays_as_it_was_while_the_database_shrinks_and_grows() => Seeded.Run(random =>
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("a.db");
        DatabaseFile.CreateEmpty(path, 512);
        using var writer = SqliteConnection.Open(path);
        var workload = new RandomWorkload(random, writer);
        for (var round = 0; round < 10; round++)
        {
            var expected = PageImages.Read(path);
            using var snapshot = SnapshotReader.Open(path);
            var found = new List<byte[]>();
            while (snapshot.MoveNext())
            {
                Assert.Equal((uint)found.Count + 1, snapshot.PageNumber);
                found.Add(snapshot.Image.ToArray());
                if (found.Count % 7 == 0)
                {
                    workload.Step();
                }
            }

            PageImages.AssertEqual(expected, [.. found]);
            workload.Step();
        }
    });
}
