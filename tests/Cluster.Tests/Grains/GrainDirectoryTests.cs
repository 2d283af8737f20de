using System.Collections.Concurrent;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

public class GrainDirectoryTests
{
    private static readonly DatabaseId _database = new(new Guid(1, 0, 0, new byte[8]));
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly ManualTime _time = new();
    private readonly ConcurrentQueue<TestGrain> _made = new();

    [Fact]
    public async Task Many_requests_at_once_share_one_activation()
    {
        await using var directory = Directory();
        var leases = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(async () => await directory.UseAsync(_database))));
        Assert.Single(_made);
        Assert.All(leases, lease => Assert.Same(leases[0].Grain, lease.Grain));
        Array.ForEach(leases, lease => lease.Dispose());
    }

    [Fact]
    public async Task A_failed_activation_is_told_to_all_who_wait_and_the_next_request_tries_again()
    {
        var first = new TaskCompletionSource<TestGrain>();
        var tries = 0;
        await using var directory = new GrainDirectory<TestGrain>((_, _) => ++tries == 1 ? first.Task : Task.FromResult(new TestGrain()), _time, TimeSpan.FromMinutes(1));
        var waiting = Enumerable.Range(0, 10).Select(_ => directory.UseAsync(_database).AsTask()).ToList();
        first.SetException(new InvalidDataException("no"));
        foreach (var wait in waiting)
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => wait.WaitAsync(_patience));
        }

        using var lease = await directory.UseAsync(_database).AsTask().WaitAsync(_patience);
        Assert.Equal(2, tries);
    }

    [Fact]
    public async Task An_activation_that_fails_when_nobody_waits_any_more_is_not_held_against_the_next_request()
    {
        var first = new TaskCompletionSource<TestGrain>();
        var tries = 0;
        await using var directory = new GrainDirectory<TestGrain>((_, _) => ++tries == 1 ? first.Task : Task.FromResult(new TestGrain()), _time, TimeSpan.FromMinutes(1));
        using var impatience = new CancellationTokenSource();
        var wait = directory.UseAsync(_database, impatience.Token).AsTask();
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
        first.SetException(new InvalidDataException("no"));
        await UntilAsync(() => directory.Active.Count == 0);
        using var lease = await directory.UseAsync(_database).AsTask().WaitAsync(_patience);
        Assert.Equal(2, tries);
    }

    [Fact]
    public async Task Whoever_has_the_turn_after_an_activation_can_deactivate_it()
    {
        for (var round = 0; round < 200; round++)
        {
            var turn = new SemaphoreSlim(1);
            TestGrain? opened = null;
            await using var directory = new GrainDirectory<TestGrain>(
                (_, _) => Task.FromResult(opened = new TestGrain()),
                _time,
                TimeSpan.FromMinutes(1),
                async (_, cancellation) =>
                {
                    await turn.WaitAsync(cancellation);
                    return new Turn(turn);
                });
            using var impatience = new CancellationTokenSource();
            var use = directory.UseAsync(_database, impatience.Token).AsTask();
            await UntilAsync(() => opened is not null);
            await turn.WaitAsync(_patience);
            await directory.DeactivateAsync(_database, abort: true).WaitAsync(_patience);
            Assert.True(opened!.IsDisposed);
            turn.Release();
            await impatience.CancelAsync();
            await Task.WhenAny(use); // given up, or begun anew
        }
    }

    private sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }

    [Fact]
    public async Task One_callers_patience_does_not_end_the_activation_for_others()
    {
        var first = new TaskCompletionSource<TestGrain>();
        await using var directory = new GrainDirectory<TestGrain>((_, _) => first.Task, _time, TimeSpan.FromMinutes(1));
        using var impatience = new CancellationTokenSource();
        var impatient = directory.UseAsync(_database, impatience.Token).AsTask();
        var patient = directory.UseAsync(_database).AsTask();
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        first.SetResult(new TestGrain());
        using var lease = await patient.WaitAsync(_patience);
    }

    [Fact]
    public async Task A_grain_goes_when_it_was_idle_and_never_while_it_is_used()
    {
        await using var directory = Directory();
        var lease = await directory.UseAsync(_database);
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.False(lease.Grain.IsDisposed);
        lease.Dispose();
        _time.Advance(TimeSpan.FromSeconds(50));
        Assert.False(lease.Grain.IsDisposed);
        _time.Advance(TimeSpan.FromSeconds(30));
        await UntilAsync(() => lease.Grain.IsDisposed && directory.Active.Count == 0);
        using var next = await directory.UseAsync(_database);
        Assert.NotSame(lease.Grain, next.Grain);
    }

    [Fact]
    public async Task Only_the_grain_that_failed_is_replaced_whoever_notices()
    {
        await using var directory = Directory();
        (await directory.UseAsync(_database)).Dispose();
        _made.Single().HasFailed = true;
        for (var round = 0; round < 50; round++)
        {
            var before = _made.Count;
            var leases = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () => await directory.UseAsync(_database)))).WaitAsync(_patience);
            Assert.All(leases, lease => Assert.False(lease.Grain.HasFailed || lease.Grain.IsDisposed));
            Assert.Equal(before + 1, _made.Count);
            leases[0].Grain.HasFailed = true;
            Array.ForEach(leases, lease => lease.Dispose());
        }
    }

    [Fact]
    public async Task A_grain_that_closes_badly_stands_in_nobodys_way()
    {
        await using var directory = Directory();
        using (var lease = await directory.UseAsync(_database))
        {
            lease.Grain.FailsToClose = true;
        }

        _time.Advance(TimeSpan.FromMinutes(3));
        await UntilAsync(() => directory.Active.Count == 0);
        using var next = await directory.UseAsync(_database).AsTask().WaitAsync(_patience);
    }

    [Fact]
    public async Task Letting_go_waits_for_the_last_user_whom_it_asks_to_stop()
    {
        await using var directory = Directory();
        var lease = await directory.UseAsync(_database);
        var going = directory.DeactivateAsync(_database);
        Assert.True(lease.Grain.IsStopping);
        Assert.False(going.IsCompleted || lease.Grain.IsDisposed);
        lease.Dispose();
        await going.WaitAsync(_patience);
        Assert.True(lease.Grain.IsDisposed);
    }

    [Fact]
    public async Task A_grain_that_is_let_go_while_it_begins_is_asked_to_stop_as_soon_as_it_is_there()
    {
        var first = new TaskCompletionSource<TestGrain>();
        await using var directory = new GrainDirectory<TestGrain>((_, _) => first.Task, _time, TimeSpan.FromMinutes(1));
        var used = directory.UseAsync(_database).AsTask();
        var going = directory.DeactivateAsync(_database);
        Assert.False(going.IsCompleted);
        first.SetResult(new TestGrain());
        var lease = await used.WaitAsync(_patience);
        await UntilAsync(() => lease.Grain.IsStopping); // else whoever uses it for long would keep it for as long
        lease.Dispose();
        await going.WaitAsync(_patience);
        Assert.True(lease.Grain.IsDisposed);
    }

    [Fact]
    public async Task After_the_end_nothing_is_activated()
    {
        var directory = Directory();
        (await directory.UseAsync(_database)).Dispose();
        await directory.DisposeAsync();
        Assert.True(_made.Single().IsDisposed);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await directory.UseAsync(_database));
        await directory.DisposeAsync();
    }

    [Fact]
    public async Task Requests_while_it_closes_leave_no_grain_open()
    {
        for (var round = 0; round < 100; round++)
        {
            var directory = Directory();
            var uses = Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
            {
                try
                {
                    (await directory.UseAsync(new DatabaseId(new Guid(i, 0, 0, new byte[8])))).Dispose();
                }
                catch (ObjectDisposedException)
                {
                }
            })).ToList();
            await directory.DisposeAsync().AsTask().WaitAsync(_patience);
            await Task.WhenAll(uses).WaitAsync(_patience);
            await UntilAsync(() => _made.All(grain => grain.IsDisposed));
        }
    }

    private GrainDirectory<TestGrain> Directory() => new(
        async (_, _) =>
        {
            await Task.Yield();
            var grain = new TestGrain();
            _made.Enqueue(grain);
            return grain;
        },
        _time,
        TimeSpan.FromMinutes(1));

    private static async Task UntilAsync(Func<bool> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < _patience, "It did not come about in time.");
            await Task.Delay(2);
        }
    }

    [Fact]
    public async Task An_aborted_grain_is_closed_without_waiting_for_those_who_use_it()
    {
        TestGrain? made = null;
        await using var directory = new GrainDirectory<TestGrain>(
            (_, _) => Task.FromResult(made = new TestGrain()), TimeProvider.System, TimeSpan.FromMinutes(1));
        var database = new DatabaseId(Guid.NewGuid());
        using var lease = await directory.UseAsync(database, TestContext.Current.CancellationToken);
        await directory.DeactivateAsync(database, abort: true);
        Assert.True(made!.IsAborted);
        Assert.True(made.IsDisposed);
        Assert.Null(directory.TryUse(database));
    }

    private sealed class TestGrain : IGrain
    {
        private volatile bool _disposed;

        public bool HasFailed { get; set; }

        public bool FailsToClose { get; set; }

        public bool IsStopping { get; private set; }

        public bool IsDisposed => _disposed;

        public bool IsAborted { get; private set; }

        public void BeginStop() => IsStopping = true;

        public void Abort() => IsAborted = true;

        public ValueTask DisposeAsync()
        {
            _disposed = true;
            return FailsToClose ? throw new IOException("It cannot be closed.") : ValueTask.CompletedTask;
        }
    }
}
