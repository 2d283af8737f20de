using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>After a crash the file is main file + sidecar + log, whenever it came: the WAL left behind is not needed.</summary>
/// <remarks>The log holds changed byte ranges, as the real one does: they come out right only over the state that the sidecar names, or newer bytes of the same log.</remarks>
public sealed class CrashTests
{
    private static readonly DatabaseId _database = new(new Guid("11111111-2222-3333-4444-555555555555"));

    [Fact]
    public void Main_file_and_log_from_the_sidecar_on_make_the_primarys_confirmed_state_again() => Seeded.Run(random =>
    {
        for (var round = 0; round < (Seeded.IsFull ? 60 : 4); round++)
        {
            Run(random, (log, folder, pair) =>
            {
                log.Append(pair);
                return pair.PrimaryPath;
            });
        }
    });

    [Fact]
    public void Main_file_and_log_from_the_sidecar_on_make_the_replicas_state_again() => Seeded.Run(random =>
    {
        for (var round = 0; round < (Seeded.IsFull ? 60 : 4); round++)
        {
            Run(random, (log, folder, pair) =>
            {
                log.Append(pair);
                pair.Applier.Confirm(ReplicaPair.Append(pair.Applier, pair.Pages));
                return pair.ReplicaPath;
            });
        }
    });

    private static void Run(Random random, Func<PatchLog, TemporaryFolder, ReplicaPair, string> bring)
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root, 512 << random.Next(5));
        var log = new PatchLog(pair.Capture.PageSizeBytes);
        var workload = new RandomWorkload(random, pair.Writer);
        Assert.True(pair.Capture.Capture(pair.Pages));
        var path = bring(log, folder, pair);
        new Sidecar(_database, Position.Start, Position.Start).Write(Sidecar.PathOf(path));
        using var checkpointer = Checkpointer.Open(path, _database);
        using var boundary = PinnedSnapshot.Open(path);
        using var reader = SqliteConnection.Open(path);
        boundary.Take();
        var pinned = log.Count;
        for (var step = 0; step < 60; step++)
        {
            workload.Step();
            if (pair.Capture.Capture(pair.Pages))
            {
                _ = bring(log, folder, pair);
            }

            switch (random.Next(10))
            {
                case 0:
                    boundary.Take();
                    pinned = log.Count;
                    break;
                case 1 when boundary.IsHeld:
                    _ = checkpointer.Run(At(pinned)); // later commits are there, and are not in its reach
                    break;
                case 2:
                    boundary.Release();
                    _ = random.Next(2) == 0 ? checkpointer.Run(At(log.Count)).IsComplete : checkpointer.RestartWal(At(log.Count));
                    break;
                case 3:
                    reader.Execute(reader.IsAutocommit ? "BEGIN; SELECT count(*) FROM sqlite_schema" : "COMMIT");
                    break;
                case 4:
                    Crash(random, folder, path, log);
                    break;
            }
        }

        Crash(random, folder, path, log);
    }

    // The copy is what a killed process leaves: main file and sidecar as they are now; the WAL is discarded, so it is not even copied.
    private static void Crash(Random random, TemporaryFolder folder, string path, PatchLog log)
    {
        var copy = folder.File("crashed.db");
        FileCopy.Take(path, copy, withWal: false);
        var sidecar = Sidecar.Read(Sidecar.PathOf(path))!;
        var (from, to) = ((int)sidecar.From.Sequence, (int)sidecar.To.Sequence);
        Assert.InRange(from, 0, to);

        // What was never confirmed may be gone from the log for good; the file must come out right without it.
        var end = random.Next(to, log.Count + 1);
        log.Replay(copy, from, end);
        LocalFile.DiscardWal(copy);
        PageImages.AssertEqual(log.StateAt(end), PageImages.Read(copy));
        LocalFile.DiscardWal(copy);
    }

    private static Position At(int sequence) => new(1, (ulong)sequence, ChainHash.Zero);
}
