using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Primary.Tests;

public sealed class SlowSnapshotTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_snapshot_that_is_taken_slowly_does_not_keep_the_WAL_from_being_restarted_for_ever()
    {
        await using var primary = await PrimaryFixture.StartAsync(new PrimaryOptions
        {
            CheckpointBytes = 50_000, RestartWalBytes = 100_000, IdleCheckpoint = TimeSpan.FromMilliseconds(50), SnapshotPatience = TimeSpan.FromMilliseconds(20),
        });
        await primary.WriteAsync("CREATE TABLE t (x)");
        for (var i = 0; i < 10; i++)
        {
            await primary.WriteAsync("INSERT INTO t VALUES (randomblob(1000000))");
        }

        var receiver = new Receiver();
        var sending = primary.Grain.SendSnapshotAsync("slow", receiver, Cancellation);
        for (var i = 1; i < 800 && !sending.IsCompleted; i++)
        {
            await primary.WriteAsync("INSERT INTO t VALUES (randomblob(10000))");
            if (i % 20 == 0)
            {
                receiver.TakeOne(); // as one that is slow, and not dead
            }
        }

        var ended = await PrimaryFixture.RefusedAsync(sending);
        Assert.Equal(ErrorCodes.Overloaded, ended.Error.Code);
        Assert.Contains("subscribe again", ended.Message, StringComparison.Ordinal);

        // From here on it does not grow.
        var before = WalLength(primary);
        for (var i = 0; i < 200; i++)
        {
            await primary.WriteAsync("INSERT INTO t VALUES (randomblob(10000))");
        }

        Assert.InRange(WalLength(primary), 0, before + 1_000_000);

        // Whoever takes it gets it, the same replica too.
        var again = new Receiver { TakesAll = true };
        await primary.Grain.SendSnapshotAsync("slow", again, Cancellation).WaitAsync(PrimaryFixture.Patience, Cancellation);
        Assert.True(again.HasAll);
    }

    [Fact]
    public void Who_comes_again_has_twice_the_time_and_who_was_served_begins_anew()
    {
        var time = new ManualTime();
        var snapshots = new RunningSnapshots(TimeSpan.FromSeconds(10), time);
        Assert.Equal(11, EndedAfter());
        Assert.Equal(21, EndedAfter());
        Assert.Equal(41, EndedAfter());
        using (var served = snapshots.Begin("slow", Cancellation))
        {
            time.Advance(TimeSpan.FromSeconds(30));
            snapshots.EndLong();
            Assert.False(served.Token.IsCancellationRequested);
            served.IsComplete = true;
        }

        Assert.Equal(11, EndedAfter());
        for (var i = 0; i < 20; i++)
        {
            Assert.InRange(EndedAfter(), 11, 3601); // never longer than an hour
        }

        int EndedAfter()
        {
            using var running = snapshots.Begin("slow", Cancellation);
            using var other = snapshots.Begin("other", Cancellation);
            other.IsComplete = true;
            for (var seconds = 1; ; seconds++)
            {
                time.Advance(TimeSpan.FromSeconds(1));
                snapshots.EndLong();
                if (running.Token.IsCancellationRequested)
                {
                    Assert.True(running.WasEnded);
                    return seconds;
                }
            }
        }
    }

    private static long WalLength(PrimaryFixture primary) => new FileInfo(primary.File + "-wal").Length;

    private sealed class Receiver : IResponseWriter<SubscribeResponse>
    {
        private readonly SemaphoreSlim _room = new(0);

        public bool TakesAll { get; init; }

        public bool HasAll { get; private set; }

        public void TakeOne() => _room.Release();

        public async ValueTask WriteAsync(SubscribeResponse message, CancellationToken cancellationToken = default)
        {
            if (!message.Snapshot.Pages.IsEmpty && !TakesAll)
            {
                await _room.WaitAsync(cancellationToken);
            }

            HasAll |= message.Snapshot.Last;
        }
    }
}
