using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.ColdStorage.Tests;

/// <summary>The process dies at each call of an upload with its snapshots, a fork, a collection, a removal: nothing is lost, nothing claimed that is not there, and the next one brings it to its end.</summary>
public sealed partial class KillTests : IDisposable
{
    private static readonly TimeSpan _retention = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly MemoryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Death.Before, true)]
    [InlineData(Death.After, true)]
    [InlineData(Death.Halfway, true)]
    [InlineData(Death.Before, false)]
    [InlineData(Death.After, false)]
    public async Task At_each_step_of_an_upload_with_snapshot_and_trim(Death death, bool isLeader)
    {
        var deaths = 0;
        foreach (var seed in Seeds.Of(usual: 1, full: 30))
        {
            for (var step = 1; ; step++)
            {
                var random = new Random(seed);
                var log = new ModelLog(random).OpenEpoch(1).Write(10);
                var (store, leader) = (new MemoryStore(), new ModelSource(log, random));
                await UploadAsync(store, leader, log.Entries.Count);
                log.Write(60);
                var dying = isLeader ? leader : new ModelSource(log, random, isLeader: false);
                var mortal = new MortalStore(store, step, death);
                leader.CheckpointedEntries = log.Entries.Count - 5;
                var trim = await UploadUntilDeathAsync(mortal, dying, isLeader);
                var where = $"seed {seed}, step {step}: {(mortal.IsDead ? await mortal.Died : "")}";

                // What was claimed is there, whoever else has lost it.
                if (trim > Position.Start && death != Death.Halfway)
                {
                    await AssertAsync(where, store, log, log.IndexOf(trim));
                }

                leader.TrimTo(trim);
                await UploadAsync(store, leader, log.Entries.Count);
                await AssertAsync(where, store, log, log.Entries.Count);
                for (var i = 0; i < 3; i++)
                {
                    await AssertAsync(where, store, log, random.Next(1, log.Entries.Count + 1));
                }

                if (!mortal.IsDead)
                {
                    break;
                }

                deaths++;
            }
        }

        Assert.True(deaths > 5, $"It died {deaths} times: the test does not try what it should.");
    }

    [Theory]
    [InlineData(Death.Before)]
    [InlineData(Death.After)]
    public async Task At_each_step_of_a_collection(Death death)
    {
        var random = new Random(2);
        var log = new ModelLog(random).OpenEpoch(1);
        var (whole, source) = (new MemoryStore(), new ModelSource(log, random));
        for (var i = 0; i < 5; i++)
        {
            log.Write(8);
            source.CheckpointedEntries = source.ConfirmedEntries;
            await UploadAsync(whole, source, log.Entries.Count);
        }

        await using (var cold = Open(whole))
        {
            await ColdForks.CreateAsync(cold, log.Database, Id(1), log.Entries[12].End.ToBookmark(log.Database), Cancellation);
        }

        var clock = new ModelClock { Now = At(log.Entries[^1].Header.CommitTimeMicroseconds) + _retention };
        var begun = whole.Copy();
        await new ColdCollector(begun, clock, new ColdCollectorOptions(_grace)).RunAsync(log.Database, _retention, Cancellation); // it is written down
        var done = begun.Copy();
        clock.Now += _grace;
        Assert.True((await new ColdCollector(done, clock, new ColdCollectorOptions(_grace)).RunAsync(log.Database, _retention, Cancellation)).Deleted > 3);
        var deaths = 0;
        foreach (var before in new[] { whole, begun })
        {
            for (var step = 1; ; step++)
            {
                var store = before.Copy();
                var mortal = new MortalStore(store, step, death);
                var isDone = await DiesAsync(() => new ColdCollector(mortal, clock, new ColdCollectorOptions(_grace)).RunAsync(log.Database, _retention, Cancellation));
                var where = $"step {step}: {(mortal.IsDead ? await mortal.Died : "")}";
                await AssertAsync(where, store, log, log.Entries.Count);
                await AssertAsync(where, store, log, 13, Id(1));
                if (ReferenceEquals(before, begun))
                {
                    await new ColdCollector(store, clock, new ColdCollectorOptions(_grace)).RunAsync(log.Database, _retention, Cancellation);
                    Assert.Equal(done.Names, store.Names);
                }

                if (isDone)
                {
                    break;
                }

                deaths++;
            }
        }

        Assert.True(deaths > 10, $"It died {deaths} times: the test does not try what it should.");
    }

    [Theory]
    [InlineData(Death.Before)]
    [InlineData(Death.After)]
    public async Task At_each_step_of_noting_a_deletion_and_of_removing_what_was_deleted(Death death)
    {
        var random = new Random(3);
        var log = new ModelLog(random).OpenEpoch(1).Write(20);
        var whole = new MemoryStore();
        var record = new ColdRecord(log.Database.Value, "shop", "{}");
        await record.WriteAsync(whole, Cancellation);
        await UploadAsync(whole, new ModelSource(log, random) { CheckpointedEntries = 12 }, log.Entries.Count);
        var clock = new ModelClock { Now = At(log.Entries[^1].Header.CommitTimeMicroseconds) };
        var deaths = 0;
        for (var step = 1; ; step++)
        {
            var store = whole.Copy();
            var mortal = new MortalStore(store, step, death);
            var isNoted = await DiesAsync(async () =>
            {
                await using var dying = Open(mortal);
                await dying.KeepRecordAsync(record with { DeletedAtMicroseconds = 1 }, cancellationToken: Cancellation);
            });
            Assert.Equal("shop", (await ColdRecord.ReadAsync(store, log.Database, Cancellation))!.Name);
            await using var cold = Open(store);
            await cold.KeepRecordAsync(record with { DeletedAtMicroseconds = 2 }, cancellationToken: Cancellation);
            Assert.NotNull((await ColdRecord.ReadAsync(store, log.Database, Cancellation))!.DeletedAtMicroseconds);
            await AssertAsync($"step {step}", store, log, log.Entries.Count);
            if (isNoted)
            {
                break;
            }

            deaths++;
        }

        for (var step = 1; ; step++)
        {
            var store = whole.Copy();
            var mortal = new MortalStore(store, step, death);
            var isRemoved = await DiesAsync(() => new ColdCollector(mortal, clock, new ColdCollectorOptions(_grace)).RemoveAsync(log.Database, Cancellation));
            if (store.Names.Contains(ColdNames.Removal(log.Database)))
            {
                // Somebody who would bring it back now is told, and leaves nothing.
                await using var cold = Open(store);
                await Assert.ThrowsAnyAsync<Exception>(() => ColdForks.CreateAsync(cold, log.Database, Id(1), null, Cancellation));
                Assert.DoesNotContain(store.Names, name => name.StartsWith(ColdNames.Pins(log.Database), StringComparison.Ordinal));
            }

            if (store.Names.Count > 0)
            {
                Assert.Contains(store.Names, name => name == $"databases/{log.Database}"); // else nobody would come back for the rest
            }

            Assert.True(await new ColdCollector(store, clock, new ColdCollectorOptions(_grace)).RemoveAsync(log.Database, Cancellation));
            Assert.Empty(store.Names);
            if (isRemoved)
            {
                break;
            }

            deaths++;
        }

        Assert.True(deaths > 10, $"It died {deaths} times: the test does not try what it should.");
    }

    private static DatabaseId Id(byte number) => new(new Guid(number, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9));

    // Runs to its end, or dies.
    private static async Task<bool> DiesAsync(Func<Task> run)
    {
        try
        {
            await run();
            return true;
        }
        catch (ProcessDiedException)
        {
            return false;
        }
    }

    // As far as the log may be trimmed that it has told of.
    private static async Task<Position> UploadUntilDeathAsync(MortalStore store, ModelSource source, bool isLeader)
    {
        await using var cold = Open(store);
        await using var uploader = cold.Open(source, isLeader);
        source.ConfirmedEntries = source.Log.Entries.Count;
        uploader.Confirm(source.Confirmed);
        var flushed = uploader.FlushAsync(Cancellation);
        await Task.WhenAny(flushed, store.Died).WaitAsync(_patience, Cancellation);
        while (isLeader && !store.IsDead && uploader.Base < source.PositionAt(source.CheckpointedEntries))
        {
            await Task.WhenAny(store.Died, Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Cancellation));
        }

        return uploader.MayTrimTo(source.PositionAt(source.CheckpointedEntries));
    }

    private static async Task UploadAsync(IObjectStore store, ModelSource source, int entries)
    {
        await using var cold = Open(store);
        await using var uploader = cold.Open(source, isLeader: true);
        source.ConfirmedEntries = entries;
        uploader.Confirm(source.Confirmed);
        await uploader.FlushAsync(Cancellation).WaitAsync(_patience, Cancellation);
        for (var i = 0; i < 100 && uploader.Base < source.PositionAt(source.CheckpointedEntries); i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Cancellation); // where a snapshot is due
        }
    }

    private async Task AssertAsync(string where, MemoryStore store, ModelLog log, int entries, DatabaseId? database = null)
    {
        var path = Path.Combine(_folder.Path, "restored");
        var end = log.Entries[entries - 1].End;
        var restored = await new ColdRestorer(store, new ColdRestoreOptions()).RestoreAsync(database ?? log.Database, path, end.ToBookmark(database ?? log.Database), Cancellation);
        Assert.True(end == restored.Position, $"{where}: {restored.Position} was restored; {end} was wanted");
        var found = await File.ReadAllBytesAsync(path, Cancellation);
        Assert.True(log.ImageAt(entries).AsSpan().SequenceEqual(found), $"{where}: the state at entry {entries} is not the model's");
    }

    private static ColdStore Open(IObjectStore store) => new(
        store,
        new UploadOptions
        {
            Every = TimeSpan.Zero, FollowerEvery = TimeSpan.Zero, LeastSnapshotBytes = 0, MaxSegmentsPerSnapshot = 0, ChunkBytes = 4 * ModelLog.PageBytes, SegmentBytes = 8000,
            FirstPause = TimeSpan.FromMilliseconds(1), LongestPause = TimeSpan.FromMilliseconds(5),
        },
        TimeProvider.System,
        new Random(1),
        NullLogger.Instance);

    private static DateTimeOffset At(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
