using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.ColdStorage.Tests;

/// <summary>A restore meets a power cut, or a disk that refuses, at each of its steps: the next one goes on from what is left and ends right, also where it wants another state.</summary>
public sealed class RestoreKillTests : IDisposable
{
    private readonly MemoryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public async Task At_each_step_of_a_restore(bool isPowerCut, bool wantsAnother)
    {
        var deaths = 0;
        foreach (var seed in Seeds.Of(usual: 2, full: 60))
        {
            var random = new Random(seed);
            var log = new ModelLog(random).OpenEpoch(1).Write(20);
            var store = new MemoryStore();
            var source = new ModelSource(log, random);
            await UploadAsync(store, source);
            log.Write(25);
            source.CheckpointedEntries = 18;
            await UploadAsync(store, source);
            log.Write(8);
            await UploadAsync(store, source);
            for (var step = 1; ; step++)
            {
                var path = Path.Combine(_folder.Path, $"step-{step}");
                var where = $"seed {seed}, step {step}";
                var disk = new MortalDisk(path, step, random, isPowerCut);
                if (wantsAnother)
                {
                    // What a restore of the newest state left is there.
                    await disk.RunAsync(store, log, null);
                    var other = random.Next(2, log.Entries.Count);
                    disk = new MortalDisk(path, random.Next(1, 8), random, isPowerCut);
                    await disk.RunAsync(store, log, log.Entries[other - 1].End.ToBookmark(log.Database));
                }

                var isWhole = await disk.RunAsync(store, log, null);
                deaths += isWhole ? 0 : 1;
                var restored = await new ColdRestorer(store, new ColdRestoreOptions { LeastNotedBytes = 0 }).RestoreAsync(log.Database, path, cancellationToken: Cancellation); // goes on
                Assert.True(log.End == restored.Position, where);
                var found = await File.ReadAllBytesAsync(path, Cancellation);
                Assert.True(log.ImageAt(log.Entries.Count).AsSpan().SequenceEqual(found), $"{where}: the state is not the model's");
                Assert.False(File.Exists(RestoreProgress.PathOf(path)), where);
                if (isWhole || step > 200)
                {
                    break;
                }
            }
        }

        Assert.True(deaths > 20, $"It died {deaths} times: the test does not try what it should.");
    }

    private static async Task UploadAsync(MemoryStore store, ModelSource source)
    {
        await using var cold = new ColdStore(
            store,
            new UploadOptions { Every = TimeSpan.Zero, LeastSnapshotBytes = 0, MaxSegmentsPerSnapshot = 0, ChunkBytes = 4 * ModelLog.PageBytes, SegmentBytes = 4000 },
            TimeProvider.System,
            new Random(1),
            NullLogger.Instance);
        await using var uploader = cold.Open(source, isLeader: true);
        source.ConfirmedEntries = source.Log.Entries.Count;
        uploader.Confirm(source.Confirmed);
        await uploader.FlushAsync(Cancellation);
        while (uploader.Base < source.PositionAt(source.CheckpointedEntries))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Cancellation);
        }
    }

    /// <summary>A disk that ends at one of its steps: with a power cut, after which pages that were written since the last sync are there or not, or with an error.</summary>
    private sealed class MortalDisk(string path, int step, Random random, bool isPowerCut)
    {
        private int _steps;
        private byte[] _synced = [];

        /// <returns>Whether it came to its end.</returns>
        public async Task<bool> RunAsync(MemoryStore store, ModelLog log, Bookmark? at)
        {
            var restorer = new ColdRestorer(store, new ColdRestoreOptions { ChunksPerSync = 2, LogBytesPerSync = 1, ChunksInFlight = 1, LeastNotedBytes = random.Next(3) == 0 ? 1 << 20 : 0, AtDisk = Take });
            _synced = File.Exists(path) ? await File.ReadAllBytesAsync(path, Cancellation) : [];
            try
            {
                await restorer.RestoreAsync(log.Database, path, at, Cancellation);
                return true;
            }
            catch (IOException e) when (e is not ObjectStoreException)
            {
                Cut();
                return false;
            }
        }

        private void Take(DiskStep taken)
        {
            if (taken == DiskStep.Synced)
            {
                _synced = File.ReadAllBytes(path);
            }

            if (++_steps >= step)
            {
                throw new IOException("No space left on device");
            }
        }

        private void Cut()
        {
            if (!isPowerCut || !File.Exists(path))
            {
                return;
            }

            var written = File.ReadAllBytes(path);
            if (random.Next(4) == 0 && !File.Exists(RestoreProgress.PathOf(path)))
            {
                File.Delete(path); // its name was never synced
                return;
            }

            var left = (random.Next(2) == 0 ? written : _synced).ToArray(); // the length is one of the two
            for (var offset = 0; offset < left.Length; offset += ModelLog.PageBytes)
            {
                var page = random.Next(2) == 0 ? written : _synced;
                if (offset + ModelLog.PageBytes <= page.Length)
                {
                    page.AsSpan(offset, ModelLog.PageBytes).CopyTo(left.AsSpan(offset));
                }
            }

            File.WriteAllBytes(path, left);
        }
    }
}
