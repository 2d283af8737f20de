using System.Collections.Concurrent;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>Activates grains of one kind on one node: at most one a database, by the first request, until it has been idle for a while.</summary>
/// <remarks>
/// A grain in use is never let go: <see cref="UseAsync"/> counts users. An activation that fails is told to everybody who waits for it, and the next request tries
/// again. Safe for use by any thread.
/// </remarks>
public sealed class GrainDirectory<TGrain> : IAsyncDisposable
    where TGrain : class, IGrain
{
    private readonly ConcurrentDictionary<DatabaseId, Activation> _activations = new();
    private readonly Func<DatabaseId, CancellationToken, Task<TGrain>> _activate;
    private readonly Func<DatabaseId, CancellationToken, Task<IDisposable>>? _enter;
    private readonly TimeProvider _time;
    private readonly TimeSpan _idle;
    private readonly ITimer _sweep;
    private readonly CancellationTokenSource _stopping = new();
    private Task _sweeping = Task.CompletedTask; // written by the timer's callback, one at a time
    private volatile bool _disposed;

    /// <param name="activate">Makes a grain. Called at most once at a time for a database.</param>
    /// <param name="time">Measures idleness.</param>
    /// <param name="idle">How long a grain that nobody uses is kept.</param>
    /// <param name="enter">Waits for a turn, which lasts until the grain can be deactivated: whoever has the next turn finds it, or nothing of it.</param>
    public GrainDirectory(
        Func<DatabaseId, CancellationToken, Task<TGrain>> activate, TimeProvider time, TimeSpan idle, Func<DatabaseId, CancellationToken, Task<IDisposable>>? enter = null)
    {
        _activate = activate;
        _enter = enter;
        _time = time;
        _idle = idle;
        var period = TimeSpan.FromTicks(Math.Max(idle.Ticks / 4, TimeSpan.TicksPerSecond));
        _sweep = time.CreateTimer(_ => StartSweep(), null, period, period);
    }

    /// <summary>The databases with a grain here.</summary>
    public ICollection<DatabaseId> Active => _activations.Keys;

    /// <summary>The grain, activated if it is not. The caller disposes the lease when it is done.</summary>
    public ValueTask<GrainLease<TGrain>> UseAsync(DatabaseId database, CancellationToken cancellationToken = default)
    {
        if (TryUse(database) is { } lease)
        {
            return ValueTask.FromResult(lease);
        }

        return ActivateAsync(database, cancellationToken);
    }

    /// <summary>The grain if it is active and well; activates nothing.</summary>
    /// <param name="database">Whose.</param>
    /// <param name="keepsIt">Off for a mere look, which does not keep an idle grain from being let go.</param>
    public GrainLease<TGrain>? TryUse(DatabaseId database, bool keepsIt = true)
    {
        if (!_activations.TryGetValue(database, out var activation) || !activation.TryEnter())
        {
            return null;
        }

        if (activation.Grain is { IsCompletedSuccessfully: true } ready && !Completed(ready).HasFailed)
        {
            return new GrainLease<TGrain>(Completed(ready), activation, keepsIt);
        }

        activation.Leave();
        return null;
    }

    /// <summary>Lets a database's grain go, if there is one, once nobody uses it any more.</summary>
    /// <param name="database">Whose.</param>
    /// <param name="abort">
    /// Ends those who use it, and closes it without waiting for them: a call that it passed on to the grain that comes in its place would wait for ever. One that is only beginning is left alone: it may be waiting for the caller.
    /// </param>
    public async Task DeactivateAsync(DatabaseId database, bool abort = false)
    {
        if (_activations.TryGetValue(database, out var activation) && (!abort || activation.Started.IsCompleted))
        {
            await DeactivateAsync(database, activation, abort);
        }
    }

    /// <summary>Tells all grains to end what would keep them in use.</summary>
    public void BeginStop()
    {
        foreach (var activation in _activations.Values)
        {
            activation.BeginStop();
        }
    }

    /// <summary>Lets all grains go. Calls that come later are refused.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _sweep.DisposeAsync();
        await _stopping.CancelAsync();
        await _sweeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // one grain that closes badly must not keep the others open
        await Task.WhenAll(_activations.Keys.Select(database => DeactivateAsync(database)));
        _stopping.Dispose();
    }

    private async ValueTask<GrainLease<TGrain>> ActivateAsync(DatabaseId database, CancellationToken cancellationToken)
    {
        while (true)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var fresh = new Activation(_time);
            var activation = _activations.GetOrAdd(database, fresh);
            if (ReferenceEquals(activation, fresh))
            {
                // Belongs to nobody's request: one caller's patience must not end it for the others.
                _ = StartAsync(database, fresh);
            }

            if (!activation.TryEnter())
            {
                // It is just being let go. How that ends is told to those who let it go.
                await RemoveAsync(database, activation).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancellationToken.ThrowIfCancellationRequested();
                continue;
            }

            try
            {
                var grain = await activation.Started.WaitAsync(cancellationToken);
                if (!grain.HasFailed)
                {
                    return new GrainLease<TGrain>(grain, activation);
                }
            }
            catch
            {
                activation.Leave();
                throw;
            }

            activation.Leave();
            await DeactivateAsync(database, activation).WaitAsync(cancellationToken); // this one: another caller may have replaced it by now
        }
    }

    private async Task StartAsync(DatabaseId database, Activation activation)
    {
        try
        {
            await Task.Yield(); // out of the first caller's way
            ObjectDisposedException.ThrowIf(_disposed, this); // the directory closed without seeing this activation
            using var turn = _enter is null ? null : await _enter(database, _stopping.Token);
            activation.Complete(await Task.Run(() => _activate(database, _stopping.Token), CancellationToken.None)); // within the turn
        }
        catch (Exception e)
        {
            // Whoever waits is told, and nobody else: also when all who waited have given up, the next request tries again.
            _activations.TryRemove(new(database, activation));
            activation.Fail(e);
        }
    }

    private async Task DeactivateAsync(DatabaseId database, Activation activation, bool abort = false)
    {
        var unused = activation.CloseAsync();
        activation.BeginStop(abort);
        if (!abort)
        {
            await unused;
        }

        await RemoveAsync(database, activation);
    }

    private void StartSweep()
    {
        if (_sweeping.IsCompleted && !_disposed)
        {
            _sweeping = SweepAsync();
        }
    }

    private async Task SweepAsync()
    {
        foreach (var (database, activation) in _activations)
        {
            if (activation.TryCloseIdle(_idle))
            {
                await RemoveAsync(database, activation);
            }
        }
    }

    private async Task RemoveAsync(DatabaseId database, Activation activation)
    {
        try
        {
            await activation.DisposeGrainAsync();
        }
        finally
        {
            _activations.TryRemove(new(database, activation)); // a grain that closed badly must not stand in the next one's way
        }
    }

    private static TGrain Completed(Task<TGrain> task) => task.GetAwaiter().GetResult(); // completed: it does not block

    /// <summary>One activation and the count of those who use it.</summary>
    internal sealed class Activation(TimeProvider time)
    {
        private const int Closed = int.MinValue; // a bit beside the count

        private readonly Lock _gate = new();
        private readonly TaskCompletionSource<TGrain> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TaskCompletionSource? _unused; // written under _gate; set while somebody waits for the last user
        private Task? _disposal; // written under _gate, once
        private int _users; // by Interlocked: each request enters and leaves. With Closed nobody enters any more
        private bool _stopWanted; // written under _gate: a grain that comes up later is told at once
        private long _lastUse = time.GetTimestamp(); // by Volatile

        public Task<TGrain>? Grain => _started.Task;

        public Task<TGrain> Started => _started.Task;

        public void Complete(TGrain grain)
        {
            _started.SetResult(grain);
            lock (_gate)
            {
                if (!_stopWanted) return;
            }

            grain.BeginStop();
        }

        public void Fail(Exception reason)
        {
            _started.TrySetException(reason);
            _ = _started.Task.Exception; // nobody may be waiting any more
        }

        public bool TryEnter()
        {
            var users = Volatile.Read(ref _users);
            while (users >= 0)
            {
                var before = Interlocked.CompareExchange(ref _users, users + 1, users);
                if (before == users)
                {
                    return true;
                }

                users = before;
            }

            return false;
        }

        public void Leave(bool wasUse = true)
        {
            if (wasUse)
            {
                Volatile.Write(ref _lastUse, time.GetTimestamp());
            }

            if (Interlocked.Decrement(ref _users) == Closed)
            {
                TaskCompletionSource? unused;
                lock (_gate)
                {
                    unused = _unused;
                }

                unused?.TrySetResult();
            }
        }

        public bool TryCloseIdle(TimeSpan idle) =>
            _started.Task.IsCompleted && time.GetElapsedTime(Volatile.Read(ref _lastUse)) >= idle && Interlocked.CompareExchange(ref _users, Closed, 0) == 0;

        public void BeginStop(bool abort = false)
        {
            lock (_gate)
            {
                _stopWanted = true;
            }

            if (!_started.Task.IsCompletedSuccessfully)
            {
                return;
            }

            var grain = Completed(_started.Task);
            grain.BeginStop();
            if (abort)
            {
                grain.Abort();
            }
        }

        public Task CloseAsync()
        {
            lock (_gate)
            {
                _unused ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); // first: the last user looks for it
                return (Interlocked.Or(ref _users, Closed) | Closed) == Closed ? Task.CompletedTask : _unused.Task;
            }
        }

        public Task DisposeGrainAsync()
        {
            lock (_gate)
            {
                return _disposal ??= DisposeCoreAsync();
            }
        }

        private async Task DisposeCoreAsync()
        {
            await Task.Yield(); // out of the lock
            TGrain grain;
            try
            {
                grain = await _started.Task;
            }
            catch (Exception)
            {
                return; // it never came up; its callers were told
            }

            await grain.DisposeAsync();
        }
    }
}

/// <summary>Keeps a grain from being let go.</summary>
public readonly struct GrainLease<TGrain> : IDisposable
    where TGrain : class, IGrain
{
    private readonly GrainDirectory<TGrain>.Activation _activation;

    private readonly bool _wasUse;

    internal GrainLease(TGrain grain, GrainDirectory<TGrain>.Activation activation, bool wasUse = true)
    {
        _wasUse = wasUse;
        Grain = grain;
        _activation = activation;
    }

    /// <summary>The grain.</summary>
    public TGrain Grain { get; }

    /// <summary>Ends the use. Once.</summary>
    public void Dispose() => _activation?.Leave(_wasUse);
}
