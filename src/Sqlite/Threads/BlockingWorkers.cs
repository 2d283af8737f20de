using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <summary>A bounded pool of threads for work that blocks in SQLite, so that a heavy query stalls neither the thread pool nor other databases for long.</summary>
/// <remarks>Safe for use by any thread. Work starts in the order in which it came. Threads are started when they are needed and kept.</remarks>
public sealed class BlockingWorkers : IAsyncDisposable
{
    private static readonly TimeSpan _retryAfter = TimeSpan.FromMilliseconds(100);

    private readonly object _gate = new(); // a Monitor, since threads wait on it; guards all below
    private readonly Queue<BlockingWork> _queue = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _name;
    private readonly int _maxThreads;
    private readonly int _maxQueued;
    private readonly LentThreads _lentThreads;
    private int _threads;
    private int _idle;
    private int _lent; // callers' threads at work here
    private bool _isDisposed;

    /// <summary>A pool without threads yet.</summary>
    /// <param name="name">Of the threads, as a debugger shows them.</param>
    /// <param name="maxThreads">Most threads. A thread that runs SQLite computes most of its time.</param>
    /// <param name="maxQueued">Most pieces of work that wait for a thread.</param>
    /// <param name="lent">How many of the callers' threads may do work here and in other pools that share it; unset: one, here.</param>
    public BlockingWorkers(string name, int maxThreads, int maxQueued, LentThreads? lent = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxThreads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxQueued, 1);
        _name = name;
        _maxThreads = maxThreads;
        _maxQueued = maxQueued;
        _lentThreads = lent ?? new LentThreads(1);
    }

    /// <summary>Threads at most.</summary>
    public int MaxThreads => _maxThreads;

    /// <summary>Pieces of work that wait for a thread.</summary>
    public int Queued
    {
        get
        {
            lock (_gate)
            {
                return _queue.Count;
            }
        }
    }

    /// <summary>Queues work.</summary>
    /// <exception cref="RequestException">OVERLOADED, with a time to try again: the queue is full.</exception>
    /// <exception cref="ObjectDisposedException">The pool is closed.</exception>
    public void Enqueue(BlockingWork work)
    {
        if (!TryEnqueue(work))
        {
            throw Overloaded($"{_maxQueued} pieces of work are waiting for a thread of '{_name}'");
        }
    }

    /// <summary>Queues work, unless the queue is full.</summary>
    /// <exception cref="ObjectDisposedException">The pool is closed.</exception>
    public bool TryEnqueue(BlockingWork work)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_queue.Count >= _maxQueued)
            {
                return false;
            }

            _queue.Enqueue(work);
            if (_idle >= _queue.Count)
            {
                Monitor.Pulse(_gate);
            }
            else if (_threads < _maxThreads)
            {
                _threads++;
                new Thread(Loop) { IsBackground = true, Name = $"{_name} {_threads}" }.Start();
            }

            return true;
        }
    }

    /// <summary>Runs work on the caller's thread, if nothing waits for a worker and few others do so: for a short piece of work the hop to a worker would take longer.</summary>
    /// <returns><see langword="false"/>: it was not taken; queue it.</returns>
    public bool TryRunHere(BlockingWork work)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (!TryBeginHere())
        {
            return false;
        }

        try
        {
            Run(work);
        }
        finally
        {
            EndHere();
        }

        return true;
    }

    /// <summary>Runs a function on a worker.</summary>
    /// <exception cref="RequestException">OVERLOADED, or what the function throws.</exception>
    public Task<T> RunAsync<T>(Func<T> call)
    {
        var work = new BlockingCall<T>(call);
        Enqueue(work);
        return work.Task;
    }

    /// <summary>Runs a function that is usually short: on the caller's thread, if it may be (<see cref="TryRunHere"/>), else on a worker.</summary>
    /// <exception cref="RequestException">OVERLOADED, or what the function throws.</exception>
    public Task<T> RunShortAsync<T>(Func<T> call)
    {
        var work = new BlockingCall<T>(call);
        if (!TryRunHere(work))
        {
            Enqueue(work);
        }

        return work.Task;
    }

    /// <summary>Runs an action that is usually short: on the caller's thread, if it may be, else on a worker.</summary>
    /// <exception cref="RequestException">OVERLOADED, or what the function throws.</exception>
    public Task RunShortAsync(Action call) => RunShortAsync(() =>
    {
        call();
        return true;
    });

    /// <summary>Runs an action on a worker.</summary>
    /// <exception cref="RequestException">OVERLOADED, or what the action throws.</exception>
    public Task RunAsync(Action call) => RunAsync(() =>
    {
        call();
        return true;
    });

    /// <summary>Refuses the work that waits, and completes when the work that runs has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        List<BlockingWork> refused = [];
        lock (_gate)
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                refused.AddRange(_queue);
                _queue.Clear();
                Monitor.PulseAll(_gate);
                StopIfLast();
            }
        }

        foreach (var work in refused)
        {
            work.Refuse(new ObjectDisposedException(_name));
        }

        await _stopped.Task;
    }

    /// <summary>Nothing was done; later there may be room.</summary>
    internal static RequestException Overloaded(string what) => RequestException.Overloaded($"The server is overloaded: {what}. Nothing was done; try again later.", _retryAfter);

    private void Loop()
    {
        while (Next() is { } work)
        {
            Run(work);
        }
    }

    private static void Run(BlockingWork work)
    {
        try
        {
            work.Run();
        }
#pragma warning disable CA1031 // The one who asked for the work gets whatever it threw.
        catch (Exception error)
#pragma warning restore CA1031
        {
            work.Refuse(error);
        }
    }

    private bool TryBeginHere()
    {
        lock (_gate)
        {
            if (_isDisposed || _queue.Count > 0 || !_lentThreads.TryTake())
            {
                return false;
            }

            _lent++;
            return true;
        }
    }

    private void EndHere()
    {
        _lentThreads.Return();
        lock (_gate)
        {
            _lent--;
            StopIfLast();
        }
    }

    // Under the lock.
    private void StopIfLast()
    {
        if (_isDisposed && _threads + _lent == 0)
        {
            _stopped.TrySetResult();
        }
    }

    private BlockingWork? Next()
    {
        lock (_gate)
        {
            while (true)
            {
                if (_queue.TryDequeue(out var work))
                {
                    return work;
                }

                if (_isDisposed)
                {
                    _threads--;
                    StopIfLast();
                    return null;
                }

                _idle++;
                Monitor.Wait(_gate);
                _idle--;
            }
        }
    }
}
