using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.ColdStorage.Tests;

/// <summary>Every call of an upload fails, is lost, keeps half or lies; then the log is trimmed as far as is allowed: nothing is lost, nothing claimed that is not there.</summary>
public sealed class UploadFaultTests : IDisposable
{
    private readonly MemoryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Whatever_fails_what_may_be_trimmed_is_in_the_store()
    {
        foreach (var seed in Seeds.Of(usual: 15, full: 500))
        {
            var random = new Random(seed);
            var log = new ModelLog(random).OpenEpoch(1);
            var source = new ModelSource(log, random);
            var store = new MemoryStore();
            var chance = new Lock();
            var faulty = true;
            store.Fault = (kind, _) =>
            {
                lock (chance)
                {
                    return !faulty || random.Next(4) != 0 ? StoreFault.None
                        : kind switch
                        {
                            "put" => (StoreFault)random.Next(1, 3) is var fault && random.Next(2) == 0 ? fault : random.Next(2) == 0 ? StoreFault.Truncate : StoreFault.Lie,
                            _ => StoreFault.Fail,
                        };
                }
            };
            for (var round = 0; round < 6; round++)
            {
                faulty = true;
                log.Write(random.Next(1, 10));
                await using (var cold = Open(store))
                await using (var uploader = cold.Open(source, isLeader: true))
                {
                    source.ConfirmedEntries = log.Entries.Count;
                    source.CheckpointedEntries = random.Next(source.CheckpointedEntries, source.ConfirmedEntries + 1);
                    uploader.Confirm(source.Confirmed);
                    var flushed = uploader.FlushAsync(Cancellation);
                    await Task.WhenAny(flushed, Task.Delay(TimeSpan.FromMilliseconds(30), TimeProvider.System, Cancellation));
                    AssertTrimmable(store, source, uploader, seed);
                    faulty = false; // it comes back
                    await flushed;
                    AssertTrimmable(store, source, uploader, seed);
                    source.TrimTo(uploader.MayTrimTo(source.PositionAt(source.CheckpointedEntries)));
                }
            }

            store.Fault = static (_, _) => StoreFault.None;
            var path = Path.Combine(_folder.Path, $"fault-{seed}");
            var restored = await new ColdRestorer(store, new ColdRestoreOptions()).RestoreAsync(log.Database, path, cancellationToken: Cancellation);
            Assert.Equal(log.End, restored.Position);
            Assert.True(log.ImageAt(log.Entries.Count).AsSpan().SequenceEqual(File.ReadAllBytes(path)), $"seed {seed}");
        }
    }

    [Fact]
    public async Task A_log_that_was_trimmed_before_there_was_cold_storage_begins_with_a_snapshot()
    {
        var random = new Random(1);
        var log = new ModelLog(random).OpenEpoch(1).Write(20);
        var source = new ModelSource(log, random) { ConfirmedEntries = 21, CheckpointedEntries = 12 };
        source.TrimTo(source.PositionAt(10));
        var store = new MemoryStore();
        await using var cold = Open(store);
        await using var uploader = cold.Open(source, isLeader: true);
        uploader.Confirm(source.Confirmed);
        await uploader.FlushAsync(Cancellation);
        while (uploader.Base == Position.Start)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Cancellation);
        }

        var path = Path.Combine(_folder.Path, "begun");
        var restored = await new ColdRestorer(store, new ColdRestoreOptions()).RestoreAsync(log.Database, path, cancellationToken: Cancellation);
        Assert.Equal(log.End, restored.Position);
        Assert.Equal(log.ImageAt(21), await File.ReadAllBytesAsync(path, Cancellation));
        await Assert.ThrowsAnyAsync<ObjectStoreException>(
            () => new ColdRestorer(store, new ColdRestoreOptions()).RestoreAsync(log.Database, path, source.PositionAt(5).ToBookmark(log.Database), Cancellation));
    }

    [Fact]
    public async Task A_snapshot_that_begins_the_chain_of_an_idle_database_can_be_restored_and_is_found_again()
    {
        var random = new Random(1);
        var log = new ModelLog(random).OpenEpoch(1).Write(20);
        var source = new ModelSource(log, random) { ConfirmedEntries = 21, CheckpointedEntries = 21 };
        source.TrimTo(source.PositionAt(10));
        var store = new MemoryStore();
        await using (var cold = Open(store))
        await using (var uploader = cold.Open(source, isLeader: true))
        {
            uploader.Confirm(source.Confirmed);
            await uploader.FlushAsync(Cancellation);
            await WaitForAsync(() => uploader.Base != Position.Start);
            Assert.Equal(source.Confirmed, uploader.MayTrimTo(source.Confirmed));
        }

        var path = Path.Combine(_folder.Path, "begun");
        var restored = await new ColdRestorer(store, new ColdRestoreOptions()).RestoreAsync(log.Database, path, cancellationToken: Cancellation);
        Assert.Equal(log.End, restored.Position);
        Assert.Equal(log.ImageAt(21), await File.ReadAllBytesAsync(path, Cancellation));

        // The next leader's node goes on from there: it takes no snapshot.
        var snapshots = Snapshots(store);
        await using (var cold = Open(store))
        await using (var uploader = cold.Open(source, isLeader: true))
        {
            uploader.Confirm(source.Confirmed);
            await uploader.FlushAsync(Cancellation);
            Assert.Equal(source.Confirmed, uploader.StoredTo);
            Assert.Equal(source.Confirmed, uploader.Base);
        }

        Assert.Equal(snapshots, Snapshots(store));
        Assert.Single(snapshots);
    }

    [Theory]
    [InlineData(".snap", false, false)]
    [InlineData(".snap", true, false)]
    [InlineData(".seg", false, false)]
    [InlineData(".seg", true, false)]
    [InlineData(".seg", false, true)]
    public async Task An_object_that_cannot_be_read_stops_no_uploads(string suffix, bool isGone, bool isTrimmed)
    {
        var random = new Random(1);
        var log = new ModelLog(random).OpenEpoch(1);
        var source = new ModelSource(log, random);
        var store = new MemoryStore();
        for (var i = 0; i < 3; i++)
        {
            log.Write(200); // more than the database holds, so that a snapshot is due
            source.ConfirmedEntries = source.CheckpointedEntries = log.Entries.Count;
            await using var cold = Open(store);
            await using var uploader = cold.Open(source, isLeader: true);
            uploader.Confirm(source.Confirmed);
            await uploader.FlushAsync(Cancellation);
            await WaitForAsync(() => Snapshots(store).Count > i);
        }

        if (isTrimmed)
        {
            source.TrimTo(source.Confirmed);
        }

        var newest = store.Names.Last(name => name.EndsWith(suffix, StringComparison.Ordinal));
        if (isGone)
        {
            store.Remove(newest);
            store.Ghost = newest;
        }
        else
        {
            var bytes = store[newest].ToArray();
            bytes[^20] ^= 1;
            store[newest] = bytes;
        }

        log.Write(5);
        source.ConfirmedEntries = source.CheckpointedEntries = log.Entries.Count;
        await using (var cold = Open(store))
        await using (var uploader = cold.Open(source, isLeader: true))
        {
            uploader.Confirm(source.Confirmed);
            await uploader.FlushAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
            Assert.True(uploader.MayTrimTo(source.Confirmed) > Position.Start);
            await WaitForAsync(() => suffix == ".seg" || store.Names.Last(name => name.EndsWith(".snap", StringComparison.Ordinal)) != newest);
        }

        store.Ghost = null;
        var path = Path.Combine(_folder.Path, "after");
        var restored = await new ColdRestorer(store, new ColdRestoreOptions()).RestoreAsync(log.Database, path, cancellationToken: Cancellation);
        Assert.Equal(log.End, restored.Position);
        Assert.Equal(log.ImageAt(log.Entries.Count), await File.ReadAllBytesAsync(path, Cancellation));
    }

    [Fact]
    public async Task A_snapshot_that_is_there_is_not_taken_away_for_another_of_the_same_file()
    {
        var random = new Random(1);
        var log = new ModelLog(random).OpenEpoch(1);
        var source = new ModelSource(log, random);
        var store = new MemoryStore();
        for (var i = 0; i < 4; i++)
        {
            log.Write(200); // more than the database holds, so that a snapshot is due; no checkpoint comes meanwhile
            (source.ConfirmedEntries, source.CheckpointedEntries) = (log.Entries.Count, 150);
            await using var cold = Open(store);
            await using var uploader = cold.Open(source, isLeader: true);
            uploader.Confirm(source.Confirmed);
            await uploader.FlushAsync(Cancellation);
            await WaitForAsync(() => Snapshots(store).Count > 0);
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Cancellation);
        }

        Assert.DoesNotContain(store.Calls, static call => call.StartsWith("delete", StringComparison.Ordinal));

        // Two that take it at once, as after a takeover: what the first has put stays as it is.
        var name = Snapshots(store)[^1];
        var bytes = store[name];
        var manifest = await SnapshotManifest.ReadAsync(store, log.Database, new StoredObject(name, bytes.Length, default), Cancellation);
        await using (var cold = Open(store))
        {
            var kept = await new SnapshotPublisher(cold, manifest with { CommitTime = manifest.CommitTime + 1 }).RunAsync(Cancellation);
            Assert.Equal(manifest.CommitTime, kept.CommitTime);
            Assert.Same(bytes, store[name]);
            store[name] = bytes[..^5];
            kept = await new SnapshotPublisher(cold, manifest with { CommitTime = manifest.CommitTime + 1 }).RunAsync(Cancellation);
            Assert.Equal(manifest.CommitTime + 1, kept.CommitTime);
        }

        Assert.DoesNotContain(store.Calls, static call => call.StartsWith("delete", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_idle_database_makes_no_requests_also_when_its_uploader_comes_back()
    {
        var random = new Random(1);
        var log = new ModelLog(random).OpenEpoch(1).Write(5);
        var source = new ModelSource(log, random) { ConfirmedEntries = 6 };
        var store = new MemoryStore();
        await using var cold = Open(store);
        await using (var uploader = cold.Open(source, isLeader: true))
        {
            uploader.Confirm(source.Confirmed);
            await uploader.FlushAsync(Cancellation);
        }

        var calls = store.CallCount;
        await using (var uploader = cold.Open(source, isLeader: true))
        {
            uploader.Confirm(source.Confirmed);
            await uploader.FlushAsync(Cancellation);
        }

        Assert.Equal(calls, store.CallCount);
    }

    // Nothing below what may be trimmed is missing: whatever is listed there restores it.
    private static void AssertTrimmable(MemoryStore store, ModelSource source, ColdUploader uploader, int seed)
    {
        var trim = uploader.MayTrimTo(source.Confirmed);
        if (trim == Position.Start)
        {
            return;
        }

        Assert.True(
            store.Names.Any(name => ColdNames.TryParseSegment(name, out _, out var last) && last >= trim && store[name].Length > 300),
            $"seed {seed}: {trim} may be trimmed, but no segment reaches there");
    }

    private static List<string> Snapshots(MemoryStore store) => [.. store.Names.Where(static name => ColdNames.TryParseSnapshot(name, out _, out _))];

    private static async Task WaitForAsync(Func<bool> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, patience.Token);
        }
    }

    private static ColdStore Open(IObjectStore store) => new(
        store,
        new UploadOptions
        {
            Every = TimeSpan.Zero, LeastSnapshotBytes = 2000, ChunkBytes = 4 * ModelLog.PageBytes, SegmentBytes = 3000, FirstPause = TimeSpan.FromMilliseconds(1), LongestPause = TimeSpan.FromMilliseconds(5),
        },
        TimeProvider.System,
        new Random(1),
        NullLogger.Instance);
}
