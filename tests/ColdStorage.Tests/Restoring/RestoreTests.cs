using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.ColdStorage.Tests;

public sealed class RestoreTests : IDisposable
{
    private readonly MemoryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Any_bookmark_gives_the_state_of_the_model_byte_for_byte()
    {
        var snapshots = 0;
        foreach (var seed in Seeds.Of(usual: 12, full: 400))
        {
            var random = new Random(seed);
            var log = new ModelLog(random).OpenEpoch(1);
            var source = new ModelSource(log, random);
            var store = new MemoryStore();
            await UploadAllAsync(store, source, random);
            snapshots += store.Names.Count(static name => name.EndsWith(".snap", StringComparison.Ordinal));

            var target = Path.Combine(_folder.Path, $"restored-{seed}");
            for (var i = 0; i < 20; i++)
            {
                var entry = random.Next(1, log.Entries.Count + 1);
                var header = log.Entries[entry - 1].Header;
                var sequence = header.FirstSequence + (ulong)random.NextInt64((long)(header.LastSequence - header.FirstSequence) + 1);
                var restored = await Restorer(store).RestoreAsync(log.Database, target, log.Entries[entry - 1].End.ToBookmark(log.Database, sequence), Cancellation);
                AssertState(seed, log, entry, restored, target);
            }

            AssertState(seed, log, log.Entries.Count, await Restorer(store).RestoreAsync(log.Database, target, cancellationToken: Cancellation), target);
        }

        Assert.True(snapshots >= 12, $"only {snapshots} snapshots were made: the test does not try what it should");
    }

    [Fact]
    public async Task A_moment_gives_the_last_entry_that_was_committed_by_then()
    {
        var random = new Random(5);
        var log = new ModelLog(random).OpenEpoch(1);
        var store = new MemoryStore();
        await UploadAllAsync(store, new ModelSource(log, random), random);
        for (var i = 0; i < 200; i++)
        {
            var around = log.Entries[random.Next(log.Entries.Count)].Header.CommitTimeMicroseconds + random.Next(-2_000_000, 2_000_000);
            var expected = log.Entries.LastOrDefault(entry => entry.Header.CommitTimeMicroseconds <= around)?.End;
            Assert.Equal(expected, await Restorer(store).FindAsync(log.Database, around, Cancellation));
        }
    }

    [Fact]
    public async Task A_restore_that_is_broken_off_anywhere_goes_on_and_ends_the_same()
    {
        foreach (var seed in Seeds.Of(usual: 6, full: 100))
        {
            var random = new Random(seed);
            var log = new ModelLog(random).OpenEpoch(1);
            var store = new MemoryStore();
            await UploadAllAsync(store, new ModelSource(log, random), random);
            var target = Path.Combine(_folder.Path, $"broken-{seed}");
            var restorer = new ColdRestorer(store, new ColdRestoreOptions { ChunksPerSync = 1, LogBytesPerSync = 1, ChunksInFlight = 1, LeastNotedBytes = 0 });
            store.Fault = (kind, _) => kind == "read" && random.Next(4) == 0 ? StoreFault.Fail : StoreFault.None;
            var breaks = 0;
            while (true)
            {
                try
                {
                    AssertState(seed, log, log.Entries.Count, await restorer.RestoreAsync(log.Database, target, cancellationToken: Cancellation), target);
                    break;
                }
                catch (ObjectStoreException e) when (e.IsTransient)
                {
                    breaks++;
                    Mangle(target, random); // what was not synced may be anything that was written, or nothing
                    Assert.True(breaks < 10_000, $"seed {seed}: no progress");
                }
            }
        }
    }

    [Fact]
    public async Task Every_missing_object_that_is_needed_is_an_error_that_names_the_place()
    {
        var random = new Random(3);
        var log = new ModelLog(random).OpenEpoch(1);
        var store = new MemoryStore();
        await UploadAllAsync(store, new ModelSource(log, random), random);
        var target = Path.Combine(_folder.Path, "missing");
        foreach (var name in store.Names.Where(static name => !name.EndsWith("head", StringComparison.Ordinal)))
        {
            var damaged = store.Copy();
            damaged.Remove(name);
            await AssertFailsOrIsRightAsync(damaged, log, target);
        }

        // All of it is gone but the head: never an empty database.
        var empty = store.Copy();
        foreach (var name in store.Names.Where(static name => !name.EndsWith("head", StringComparison.Ordinal)))
        {
            empty.Remove(name);
        }

        var error = await Assert.ThrowsAsync<ObjectMissingException>(() => Restorer(empty).RestoreAsync(log.Database, target, cancellationToken: Cancellation));
        Assert.Contains(log.End.ToString(), error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<BookmarkNotStoredException>(() => Restorer(new MemoryStore()).RestoreAsync(log.Database, target, cancellationToken: Cancellation));
    }

    [Theory]
    [InlineData(".snap", true)]
    [InlineData(".snap", false)]
    [InlineData(".pages", true)]
    [InlineData(".pages", false)]
    public async Task A_bookmark_behind_a_broken_snapshot_is_reached_from_an_older_one_and_where_that_is_gone_the_error_names_it(string suffix, bool isGone)
    {
        var random = new Random(6);
        var log = new ModelLog(random).OpenEpoch(1);
        var (store, source) = (new MemoryStore(), new ModelSource(log, random));
        for (var i = 0; i < 3; i++)
        {
            log.Write(60);
            source.CheckpointedEntries = log.Entries.Count - 10;
            await UploadAsync(store, source, log.Entries.Count, snapshots: true);
        }

        var snapshots = store.Names.Where(static name => name.EndsWith(".snap", StringComparison.Ordinal)).ToList();
        Assert.True(snapshots.Count >= 2);
        var manifest = await SnapshotManifest.ReadAsync(store, log.Database, new StoredObject(snapshots[^1], store[snapshots[^1]].Length, default), Cancellation);
        var name = suffix == ".snap" ? snapshots[^1] : ColdNames.Chunk(log.Database, manifest.Chunks[^1].Sha256.AsSpan());
        if (isGone)
        {
            store.Remove(name);
            store.Ghost = name; // listed all the same
        }
        else
        {
            var bytes = store[name].ToArray();
            bytes[^3] ^= 1;
            store[name] = bytes;
        }

        var target = Path.Combine(_folder.Path, "older");
        AssertState(6, log, log.Entries.Count, await Restorer(store).RestoreAsync(log.Database, target, cancellationToken: Cancellation), target);

        // Of the way before it a piece is gone: then what is broken is what it is about.
        Assert.True(ColdNames.TryParseSnapshot(snapshots[^1], out var from, out _));
        foreach (var older in store.Names.Where(older => ColdNames.TryParseSegment(older, out _, out var last) && last <= from).ToList())
        {
            store.Remove(older);
        }

        foreach (var older in snapshots.SkipLast(1))
        {
            store.Remove(older);
        }

        var error = await Assert.ThrowsAnyAsync<ObjectStoreException>(() => Restorer(store).RestoreAsync(log.Database, target, cancellationToken: Cancellation));
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.Contains("nothing older or empty is taken in its place", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_last_segment_is_noticed()
    {
        var random = new Random(3);
        var log = new ModelLog(random).OpenEpoch(1).Write(10);
        var store = new MemoryStore();
        var source = new ModelSource(log, random);
        await UploadAsync(store, source, 6);
        await UploadAsync(store, source, 11);
        store.Remove(store.Names.Last(static name => name.EndsWith(".seg", StringComparison.Ordinal)));
        var error = await Assert.ThrowsAsync<ObjectMissingException>(
            () => Restorer(store).RestoreAsync(log.Database, Path.Combine(_folder.Path, "last"), cancellationToken: Cancellation));
        Assert.Contains(log.End.ToString(), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Turned_bits_and_cut_objects_are_errors_that_name_them_or_change_nothing()
    {
        foreach (var seed in Seeds.Of(usual: 60, full: 3000))
        {
            var random = new Random(seed);
            var log = new ModelLog(random).OpenEpoch(1);
            var store = new MemoryStore();
            await UploadAllAsync(store, new ModelSource(log, random), random, rounds: 4);
            var name = store.Names[random.Next(store.Names.Count)];
            var bytes = store[name].ToArray();
            if (random.Next(2) == 0)
            {
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            }
            else
            {
                bytes = bytes[..random.Next(bytes.Length)];
            }

            store[name] = bytes;
            await AssertFailsOrIsRightAsync(store, log, Path.Combine(_folder.Path, $"turned-{seed}"), name);
        }
    }

    [Fact]
    public async Task What_somebody_stored_of_an_abandoned_time_never_mixes_in()
    {
        foreach (var seed in Seeds.Of(usual: 12, full: 300))
        {
            var random = new Random(seed);
            var log = new ModelLog(random).OpenEpoch(1).Write(random.Next(1, 15));
            var fork = log.Entries.Count;
            var zombie = log.Branch(fork).Write(random.Next(1, 20)); // goes on in the old epoch
            log.OpenEpoch(7).Write(random.Next(1, 20));
            var store = new MemoryStore();
            await UploadAsync(store, new ModelSource(log, random), random.Next(1, fork + 1));
            if (random.Next(2) == 0)
            {
                await UploadAsync(store, new ModelSource(zombie, random), zombie.Entries.Count, snapshots: true);
            }

            var source = new ModelSource(log, random);
            await UploadAsync(store, source, fork + 1, snapshots: random.Next(2) == 0);
            await UploadAsync(store, new ModelSource(zombie, random), zombie.Entries.Count, snapshots: random.Next(2) == 0);
            await UploadAsync(store, source, log.Entries.Count, snapshots: random.Next(2) == 0);

            var target = Path.Combine(_folder.Path, $"zombie-{seed}");
            AssertState(seed, log, log.Entries.Count, await Restorer(store).RestoreAsync(log.Database, target, cancellationToken: Cancellation), target);
            for (var i = 0; i < 5; i++)
            {
                var entry = random.Next(1, log.Entries.Count + 1);
                AssertState(
                    seed, log, entry, await Restorer(store).RestoreAsync(log.Database, target, log.Entries[entry - 1].End.ToBookmark(log.Database), Cancellation), target);
            }

            var abandoned = zombie.Entries[random.Next(fork, zombie.Entries.Count)].End.ToBookmark(log.Database);
            await Assert.ThrowsAsync<BookmarkNotStoredException>(() => Restorer(store).RestoreAsync(log.Database, target, abandoned, Cancellation));
        }
    }

    [Fact]
    public async Task Bookmarks_that_are_not_there_are_refused_with_the_reason()
    {
        var random = new Random(1);
        var log = new ModelLog(random).OpenEpoch(1).Write(5);
        var store = new MemoryStore();
        await UploadAsync(store, new ModelSource(log, random), log.Entries.Count);
        var target = Path.Combine(_folder.Path, "refused");
        var bookmark = log.End.ToBookmark(log.Database);
        foreach (var (wrong, reason) in new (Bookmark, string)[]
        {
            (bookmark with { Sequence = bookmark.Sequence + 1 }, "ends at"),
            (bookmark with { Tag = bookmark.Tag ^ (1UL << 40) }, "another database"),
            (bookmark with { Tag = bookmark.Tag ^ 1 }, "another one"),
        })
        {
            var error = await Assert.ThrowsAsync<BookmarkNotStoredException>(() => Restorer(store).RestoreAsync(log.Database, target, wrong, Cancellation));
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        }
    }

    // Uploads in many rounds, as several nodes would: with and without snapshots, some stretches twice and cut elsewhere.
    private static async Task UploadAllAsync(MemoryStore store, ModelSource source, Random random, int rounds = 10)
    {
        for (var i = 0; i < rounds; i++)
        {
            source.Log.Write(random.Next(1, 12));
            if (random.Next(5) == 0)
            {
                source.Log.OpenEpoch(source.Log.Epochs.CurrentEpoch + 1 + (uint)random.Next(3));
            }

            source.CheckpointedEntries = Math.Max(source.CheckpointedEntries, random.Next(source.ConfirmedEntries + 1));
            if (random.Next(3) == 0 && source.ConfirmedEntries < source.Log.Entries.Count)
            {
                // Somebody else stores a part of it.
                var other = new ModelSource(source.Log, random);
                await UploadAsync(store, other, random.Next(source.ConfirmedEntries, source.Log.Entries.Count) + 1);
            }

            await UploadAsync(store, source, source.Log.Entries.Count, snapshots: random.Next(2) == 0, compress: random.Next(2) == 0);
        }
    }

    private static async Task UploadAsync(MemoryStore store, ModelSource source, int entries, bool snapshots = false, bool compress = false)
    {
        var options = new UploadOptions
        {
            Every = TimeSpan.Zero, LeastSnapshotBytes = snapshots ? 0 : long.MaxValue, ChunkBytes = 4 * ModelLog.PageBytes, SegmentBytes = 4000, Compress = compress,
        };
        await using var cold = new ColdStore(store, options, TimeProvider.System, new Random(1), NullLogger.Instance);
        await using var uploader = cold.Open(source, isLeader: true);
        source.ConfirmedEntries = entries;
        uploader.Confirm(source.Confirmed);
        await uploader.FlushAsync(Cancellation);
        if (snapshots)
        {
            // The one that is due has its name, or the log is too short for one.
            for (var i = 0; i < 200 && uploader.Base < source.PositionAt(source.CheckpointedEntries); i++)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Cancellation);
            }
        }
    }

    private static ColdRestorer Restorer(IObjectStore store) => new(store, new ColdRestoreOptions());

    private static void AssertState(int seed, ModelLog log, int entries, RestoredState restored, string path)
    {
        Assert.True(log.Entries[entries - 1].End == restored.Position, $"seed {seed}: {restored.Position} was restored; {log.Entries[entries - 1].End} was wanted");
        Assert.True(log.ImageAt(entries).AsSpan().SequenceEqual(File.ReadAllBytes(path)), $"seed {seed}: the state at entry {entries} is not the model's");
        Assert.Equal(log.EpochsAt(entries).Ranges, restored.Epochs.Ranges);
        Assert.Equal((uint)log.States[entries].Length, restored.SizePages);
    }

    // What is needed must be whole; what is not may be missing.
    private static async Task AssertFailsOrIsRightAsync(MemoryStore store, ModelLog log, string target, string? damaged = null)
    {
        try
        {
            AssertState(0, log, log.Entries.Count, await Restorer(store).RestoreAsync(log.Database, target, cancellationToken: Cancellation), target);
        }
        catch (ObjectDamagedException e)
        {
            Assert.Equal(damaged, e.Name);
        }
        catch (ObjectMissingException e)
        {
            Assert.Contains($"{log.Database}/", e.Message, StringComparison.Ordinal);
        }
    }

    // A power cut: pages of the file that were written since the last sync are there or not. Those are the ones behind what the progress says.
    private static void Mangle(string path, Random random)
    {
        if (!File.Exists(path) || File.Exists(RestoreProgress.PathOf(path)))
        {
            return;
        }

        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
        RandomAccess.Write(file, new byte[] { (byte)random.Next(256) }, random.NextInt64(Math.Max(1, RandomAccess.GetLength(file))));
    }
}
