using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.ColdStorage.Tests;

/// <summary>Random uploads, forks, collections and moments: what is young enough, and what forks need, is always restored byte for byte; what is old goes in the end.</summary>
public sealed class CollectorTests : IDisposable
{
    private static readonly TimeSpan _retention = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(10);

    private readonly MemoryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_is_young_enough_and_what_forks_need_is_never_collected()
    {
        var (deleted, forked) = (0, 0);
        foreach (var seed in Seeds.Of(usual: 6, full: 300))
        {
            var random = new Random(seed);
            var log = new ModelLog(random).OpenEpoch(1);
            var store = new MemoryStore();
            var source = new ModelSource(log, random);
            var clock = new ModelClock();
            var forks = new List<(DatabaseId Id, int Entries)>();
            for (var round = 0; round < 14; round++)
            {
                log.Write(random.Next(3, 12));
                source.CheckpointedEntries = Math.Max(source.CheckpointedEntries, random.Next(source.ConfirmedEntries + 1));
                await UploadAsync(store, source, log.Entries.Count);
                var newest = At(log.Entries[^1].Header.CommitTimeMicroseconds) + TimeSpan.FromSeconds(random.Next(20));
                clock.Now = newest > clock.Now ? newest : clock.Now; // what is too old once stays so
                var collector = new ColdCollector(store, clock, new ColdCollectorOptions(_grace));
                deleted += (await collector.RunAsync(log.Database, _retention, Cancellation)).Deleted;
                if (random.Next(3) == 0)
                {
                    var entry = FirstKept(log, clock) + random.Next(log.Entries.Count - FirstKept(log, clock) + 1);
                    await using var cold = Open(store);
                    var fork = new DatabaseId(new Guid(seed, 1, (short)round, 4, 5, 6, 7, 8, 9, 10, 11));
                    await ColdForks.CreateAsync(cold, log.Database, fork, log.Entries[entry - 1].End.ToBookmark(log.Database), Cancellation);
                    forks.Add((fork, entry));
                    forked++;
                }

                clock.Now += _grace + TimeSpan.FromSeconds(1);
                deleted += (await collector.RunAsync(log.Database, _retention, Cancellation)).Deleted;
                for (var i = 0; i < 4; i++)
                {
                    var entry = FirstKept(log, clock) + random.Next(log.Entries.Count - FirstKept(log, clock) + 1);
                    await AssertAsync(seed, store, log, log.Database, entry);
                }

                foreach (var (fork, entry) in forks)
                {
                    await AssertAsync(seed, store, log, fork, entry);
                }
            }
        }

        Assert.True(deleted > 50 && forked > 10, $"only {deleted} objects were deleted and {forked} forks made: the test does not try what it should");
    }

    [Fact]
    public async Task What_was_collected_is_refused_and_said_so()
    {
        var random = new Random(1);
        var log = new ModelLog(random).OpenEpoch(1);
        var store = new MemoryStore();
        var source = new ModelSource(log, random);
        for (var i = 0; i < 8; i++)
        {
            log.Write(10);
            source.CheckpointedEntries = source.ConfirmedEntries;
            await UploadAsync(store, source, log.Entries.Count);
        }

        var clock = new ModelClock { Now = At(log.Entries[^1].Header.CommitTimeMicroseconds) + _retention + TimeSpan.FromSeconds(1) };
        var collector = new ColdCollector(store, clock, new ColdCollectorOptions(_grace));
        var before = store.Names.Count;
        Assert.Equal(0, (await collector.RunAsync(log.Database, _retention, Cancellation)).Deleted); // first it is written down
        clock.Now += _grace;
        Assert.True((await collector.RunAsync(log.Database, _retention, Cancellation)).Deleted > 5);
        Assert.True(store.Names.Count < before);
        var error = await Assert.ThrowsAsync<BookmarkNotStoredException>(
            () => new ColdRestorer(store, new ColdRestoreOptions()).RestoreAsync(log.Database, Path.Combine(_folder.Path, "old"), log.Entries[3].End.ToBookmark(log.Database), Cancellation));
        Assert.Contains("older than what is kept", error.Message, StringComparison.Ordinal);
        await AssertAsync(1, store, log, log.Database, log.Entries.Count);
    }

    [Fact]
    public async Task A_deleted_database_goes_when_nobody_needs_it()
    {
        var random = new Random(1);
        var log = new ModelLog(random).OpenEpoch(1).Write(20);
        var store = new MemoryStore();
        await UploadAsync(store, new ModelSource(log, random), 21);
        var clock = new ModelClock { Now = At(log.Entries[^1].Header.CommitTimeMicroseconds) };
        var collector = new ColdCollector(store, clock, new ColdCollectorOptions(_grace));
        var fork = new DatabaseId(new Guid(9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9));
        await using var cold = Open(store);
        await ColdForks.CreateAsync(cold, log.Database, fork, null, Cancellation);
        Assert.False(await collector.RemoveAsync(log.Database, Cancellation));
        await AssertAsync(1, store, log, fork, 21);
        Assert.True(await collector.RemoveAsync(fork, Cancellation));
        Assert.True(await collector.RemoveAsync(log.Database, Cancellation));
        Assert.Empty(store.Names);
    }

    // The first entry of which the state can be gone back to, whatever was collected.
    private static int FirstKept(ModelLog log, ModelClock clock)
    {
        var index = log.Entries.FindIndex(entry => At(entry.Header.CommitTimeMicroseconds) > clock.Now - _retention);
        return index < 0 ? log.Entries.Count : index + 1;
    }

    private async Task AssertAsync(int seed, MemoryStore store, ModelLog log, DatabaseId database, int entries)
    {
        var path = Path.Combine(_folder.Path, "restored");
        var restored = await new ColdRestorer(store, new ColdRestoreOptions()).RestoreAsync(database, path, log.Entries[entries - 1].End.ToBookmark(database), Cancellation);
        Assert.True(log.Entries[entries - 1].End == restored.Position, $"seed {seed}: {restored.Position} was restored; {log.Entries[entries - 1].End} was wanted");
        var found = await File.ReadAllBytesAsync(path, Cancellation);
        Assert.True(log.ImageAt(entries).AsSpan().SequenceEqual(found), $"seed {seed}: the state at entry {entries} is not the model's");
    }

    private static async Task UploadAsync(MemoryStore store, ModelSource source, int entries)
    {
        await using var cold = Open(store);
        await using var uploader = cold.Open(source, isLeader: true);
        source.ConfirmedEntries = entries;
        uploader.Confirm(source.Confirmed);
        await uploader.FlushAsync(Cancellation);
        for (var i = 0; i < 100 && uploader.Base < source.PositionAt(source.CheckpointedEntries); i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Cancellation);
        }
    }

    private static ColdStore Open(IObjectStore store) => new(
        store,
        new UploadOptions { Every = TimeSpan.Zero, LeastSnapshotBytes = 0, ChunkBytes = 4 * ModelLog.PageBytes, SegmentBytes = 4000 },
        TimeProvider.System,
        new Random(1),
        NullLogger.Instance);

    private static DateTimeOffset At(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
