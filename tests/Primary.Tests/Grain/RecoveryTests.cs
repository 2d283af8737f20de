using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Primary.Tests;

public class RecoveryTests
{
    private const int MinChecks = 3;

    private static readonly PrimaryOptions _smallWal = new()
    {
        CheckpointBytes = 100_000, RestartWalBytes = 250_000, IdleCheckpoint = TimeSpan.FromMilliseconds(20),
    };

    [Fact]
    public async Task Whatever_was_answered_before_a_kill_is_there_afterwards()
    {
        var random = new Random(7);
        await using var primary = await PrimaryFixture.StartAsync(_smallWal);
        await primary.WriteAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, x)");
        int answered = 0, isChecked = 0;
        var writing = Task.Run(async () =>
        {
            for (var i = 1; i <= (Seeds.IsFull ? 5000 : 600) || Volatile.Read(ref isChecked) == 0; i++)
            {
                await primary.WriteUntilAnsweredAsync($"INSERT OR IGNORE INTO t VALUES ({i}, randomblob({i * 37 % 3000}))"); // a slow copy holds the journal for longer than a write waits
                Volatile.Write(ref answered, i);
            }
        });
        for (var checks = 0; checks < MinChecks || !writing.IsCompleted; checks++)
        {
            var next = Volatile.Read(ref answered) + random.Next(60);
            await PrimaryFixture.UntilAsync(() => Volatile.Read(ref answered) > next || writing.IsCompleted, "more is written");
            var before = Volatile.Read(ref answered);
            await using var killed = await primary.KilledCopyAsync();
            Volatile.Write(ref isChecked, checks + 1 >= MinChecks ? 1 : 0);
            await killed.ActivateAsync();
            var found = await killed.NumberAsync("SELECT count(*) FROM t");
            Assert.True(found >= before, $"{before} writes were answered, {found} are there");
            Assert.Equal(found, await killed.NumberAsync("SELECT ifnull(max(id), 0) FROM t"));
            Assert.Equal("ok", (await killed.RunAsync("PRAGMA integrity_check")).Results[0].Rows.Columns[0].Texts[0]);
        }

        await writing;
    }

    [Fact]
    public async Task Nothing_beyond_the_confirmed_end_is_replayed_into_the_file()
    {
        await using var primary = await PrimaryFixture.StartAsync(new PrimaryOptions { IdleCheckpoint = TimeSpan.FromHours(1) });
        await primary.WriteAsync("CREATE TABLE t (x)");
        var confirmed = primary.Journal.LastOf(primary.Database);
        await primary.WriteAsync("INSERT INTO t VALUES (1)"); // stands for an entry of a later leader, which this node follows meanwhile
        await using var killed = await primary.KilledCopyAsync();
        var record = new DatabaseRecord { Id = primary.Database, Name = "app", CreatedAt = DateTimeOffset.UnixEpoch, PrimaryRegion = "here", PrimaryNode = "node" };
        var copy = LocalRecovery.Look(killed.File, record, killed.Follower, confirmed);
        LocalRecovery.Replay(killed.File, record, killed.Follower, copy, confirmed);
        Assert.Equal(new Sidecar(primary.Database, confirmed, confirmed), Sidecar.Read(Sidecar.PathOf(killed.File)));
        await killed.ActivateAsync();
        Assert.Equal(1, await killed.NumberAsync("SELECT count(*) FROM t"));
    }

    // More pages than a replay keeps at hand before it writes them, set more than once, and gone and there again in between.
    [Fact]
    public async Task A_log_that_sets_many_pages_again_and_again_gives_the_same_file()
    {
        await using var primary = await PrimaryFixture.StartAsync(new PrimaryOptions { IdleCheckpoint = TimeSpan.FromHours(1) });
        await primary.WriteAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, n, x)");
        for (var round = 0; round < 3; round++)
        {
            await primary.WriteAsync("INSERT INTO t (n, x) SELECT value, randomblob(3000) FROM (WITH RECURSIVE c(value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM c WHERE value < 700) SELECT value FROM c)");
            await primary.WriteAsync("UPDATE t SET n = n + 1");
            await primary.WriteAsync("DELETE FROM t WHERE id % 3 <> 0");
            await primary.WriteAsync("VACUUM");
            await primary.WriteAsync("UPDATE t SET n = n + 1 WHERE id % 2 = 0");
        }

        await CheckKilledCopyAsync(primary);
    }

    // What was looked at is kept only up to a bound; the rest is read a second time.
    [Fact]
    public async Task A_log_that_is_too_long_to_be_kept_in_memory_is_replayed_whole()
    {
        await using var primary = await PrimaryFixture.StartAsync(new PrimaryOptions { IdleCheckpoint = TimeSpan.FromHours(1), CheckpointBytes = 1L << 30, RestartWalBytes = 1L << 30 });
        await primary.WriteAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, x)");
        for (var i = 1; i <= 12; i++)
        {
            await primary.WriteAsync("INSERT INTO t (x) VALUES (randomblob(3500000))");
            await primary.WriteAsync($"INSERT INTO t (x) VALUES ({i})");
        }

        await CheckKilledCopyAsync(primary);
    }

    [Fact]
    public async Task Whoever_asks_a_primary_that_is_going_away_is_answered()
    {
        await using var primary = await PrimaryFixture.StartAsync();
        var last = await primary.WriteAsync("CREATE TABLE t (x)");
        var grain = primary.Grain;
        await primary.DeactivateAsync();
        var refused = await PrimaryFixture.RefusedAsync(grain.LocateAsync(last with { Sequence = last.Sequence + 100 })); // needs a proof
        Assert.Equal(ErrorCodes.NoPrimary, refused.Error.Code);
    }

    [Fact]
    public async Task Each_activation_takes_a_new_epoch_and_the_table_of_epochs_survives_trimming()
    {
        await using var primary = await PrimaryFixture.StartAsync(_smallWal);
        await primary.WriteAsync("CREATE TABLE t (x)");
        var written = new List<Bookmark>();
        var epoch = primary.Grain.Epoch;
        for (var round = 0; round < 8; round++)
        {
            for (var i = 0; i < 10; i++)
            {
                written.Add(await primary.WriteAsync("INSERT INTO t VALUES (randomblob(20000))"));
            }

            await (round % 2 == 0 ? primary.RestartAsync() : ReactivateAsync(primary));
            Assert.Equal(++epoch, primary.Grain.Epoch);
        }

        Assert.NotEqual(Position.Start, primary.Journal.FirstOf(primary.Database)); // the log was trimmed on the way
        var table = EpochTableFormat.Read(primary.Grain.EncodedEpochs);
        Assert.Equal(epoch, (uint)table.Ranges.Length);
        Assert.All(written, bookmark => Assert.True(table.IsOnTimeline(bookmark)));
        Assert.All(written, bookmark => Assert.Equal(Internal.V1.BookmarkPlace.OnTimeline, primary.Grain.Locate(bookmark).Place));
        var made = table.Ranges[2];
        Assert.Equal(
            Internal.V1.BookmarkPlace.Abandoned, primary.Grain.Locate(new Bookmark(made.Epoch, made.LastSequence + 1, written[0].Tag)).Place);
        Assert.Equal(80, await primary.NumberAsync("SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task A_lost_file_is_built_again_from_the_log_while_the_log_is_whole()
    {
        await using var primary = await PrimaryFixture.StartAsync();
        await primary.WriteAsync("CREATE TABLE t (x)");
        await primary.WriteAsync("INSERT INTO t VALUES (42)");
        await primary.DeactivateAsync();
        File.Delete(primary.File);
        await primary.ActivateAsync();
        Assert.Equal(42, await primary.NumberAsync("SELECT x FROM t"));
    }

    // A checkpoint writes the pages in order, page 1 with the new size first. SQLite refuses to open what a kill leaves then.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(40)]
    public async Task A_checkpoint_that_a_kill_cut_short_is_made_whole_by_the_log(int pagesWritten)
    {
        await using var primary = await PrimaryFixture.StartAsync();
        await primary.WriteAsync("CREATE TABLE t (x)");
        await primary.WriteAsync("INSERT INTO t VALUES (randomblob(9000))");
        await primary.DeactivateAsync();
        var before = await File.ReadAllBytesAsync(primary.File);
        var old = Sidecar.Read(Sidecar.PathOf(primary.File))!;
        await primary.ActivateAsync();
        for (var i = 0; i < 40; i++)
        {
            await primary.WriteAsync("INSERT INTO t VALUES (randomblob(9000))");
        }

        await primary.DeactivateAsync();
        var after = await File.ReadAllBytesAsync(primary.File);
        var to = Sidecar.Read(Sidecar.PathOf(primary.File))!;
        Assert.True(after.Length > before.Length && old.From < to.From);
        var mixture = new byte[Math.Max(before.Length, pagesWritten * 4096)];
        before.CopyTo(mixture, 0);
        after.AsSpan(0, pagesWritten * 4096).CopyTo(mixture);
        await File.WriteAllBytesAsync(primary.File, mixture);
        (old with { To = to.To }).Write(Sidecar.PathOf(primary.File));

        await primary.ActivateAsync();

        Assert.Equal(41, await primary.NumberAsync("SELECT count(*) FROM t"));
        Assert.Equal("ok", (await primary.RunAsync("PRAGMA integrity_check")).Results[0].Rows.Columns[0].Texts[0]);
    }

    [Theory]
    [InlineData("sidecar")]
    [InlineData("log state")]
    [InlineData("no log state")]
    [InlineData("no sidecar")]
    public async Task What_is_damaged_is_refused_with_its_name_and_left_alone(string what)
    {
        await using var primary = await PrimaryFixture.StartAsync(_smallWal);
        await primary.WriteAsync("CREATE TABLE t (x)");
        for (var i = 0; i < 40; i++)
        {
            await primary.WriteAsync("INSERT INTO t VALUES (randomblob(20000))");
        }

        await primary.DeactivateAsync();
        var path = what.EndsWith("sidecar", StringComparison.Ordinal) ? Sidecar.PathOf(primary.File) : LogStateFile.PathOf(primary.File);
        var bytes = await File.ReadAllBytesAsync(path);
        if (what.StartsWith("no ", StringComparison.Ordinal))
        {
            File.Delete(path);
        }
        else
        {
            bytes[bytes.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(path, bytes);
        }

        var length = new FileInfo(primary.File).Length;
        var refused = await PrimaryFixture.RefusedAsync(primary.ActivateAsync());
        Assert.Equal(ErrorCodes.SqliteCorrupt, refused.Error.Code);
        Assert.Contains(what.StartsWith("no ", StringComparison.Ordinal) ? "missing" : path, refused.Message);
        Assert.Equal(length, new FileInfo(primary.File).Length);
    }

    [Fact]
    public async Task A_journal_that_is_older_than_the_file_is_refused()
    {
        await using var primary = await PrimaryFixture.StartAsync();
        await primary.WriteAsync("CREATE TABLE t (x)");
        await primary.DeactivateAsync();
        await primary.CloseNodeAsync();
        using var older = new TemporaryFolder();
        foreach (var file in Directory.EnumerateFiles(primary.JournalFolder))
        {
            File.Copy(file, Path.Combine(older.Path, Path.GetFileName(file)));
        }

        primary.OpenNode();
        await primary.ActivateAsync();
        await primary.WriteAsync("INSERT INTO t VALUES (1)");
        await primary.DeactivateAsync(); // with a checkpoint
        await primary.CloseNodeAsync();
        Directory.Delete(primary.JournalFolder, recursive: true);
        Directory.Move(older.Path, primary.JournalFolder);
        primary.OpenNode();
        var refused = await PrimaryFixture.RefusedAsync(primary.ActivateAsync());
        Assert.Equal(ErrorCodes.SqliteCorrupt, refused.Error.Code);
        Assert.Contains("older than the file", refused.Message);
    }

    [Fact]
    public async Task Commit_times_never_go_back_with_the_clock()
    {
        var time = new ManualTime();
        await using var primary = await PrimaryFixture.StartAsync(time: time);
        await primary.WriteAsync("CREATE TABLE t (x)");
        time.SetUtcNow(time.GetUtcNow() - TimeSpan.FromDays(400));
        await primary.WriteAsync("INSERT INTO t VALUES (1)");
        await primary.RestartAsync();
        await primary.WriteAsync("INSERT INTO t VALUES (2)");
        var times = primary.Journal.ReadFrom(primary.Database, Position.Start, long.MaxValue).Select(entry => entry.Header.CommitTimeMicroseconds).ToList();
        Assert.True(times.Count >= 6);
        Assert.Equal(times.Order(), times);
    }

    // A process that starts after a kill replays the whole log, and has the same pages.
    private static async Task CheckKilledCopyAsync(PrimaryFixture primary)
    {
        await using var killed = await primary.KilledCopyAsync();
        await killed.ActivateAsync();
        Assert.True(Pages(primary.File).SequenceEqual(Pages(killed.File)), "the replayed file differs");
    }

    private static byte[] Pages(string path)
    {
        using var snapshot = SnapshotReader.Open(path);
        using var bytes = new MemoryStream();
        snapshot.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static async Task ReactivateAsync(PrimaryFixture primary)
    {
        await primary.DeactivateAsync();
        await primary.ActivateAsync();
    }
}
