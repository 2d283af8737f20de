namespace ReplicatedSqlite.Sqlite;

/// <summary>One owner's part of a pool of workers: so many of its pieces of work are there at once, however many it has.</summary>
/// <remarks>
/// So a database whose queries run for ever takes a part of the threads, and the others find some free. The rest of its work waits here, in the order in
/// which it came; whoever asks bounds how much that is. Safe for use by any thread.
/// </remarks>
/// <param name="workers">Where the work runs.</param>
public sealed class WorkerShare(BlockingWorkers workers)
{
    private readonly Lock _gate = new();
    private readonly Queue<BlockingWork> _waiting = new(); // under _gate
    private readonly int _most = Math.Max(1, workers.MaxThreads / 4);
    private int _taken; // under _gate

    /// <summary>Queues work.</summary>
    /// <exception cref="Protocol.RequestException">OVERLOADED, with a time to try again: the pool's queue is full.</exception>
    /// <exception cref="ObjectDisposedException">The pool is closed.</exception>
    public void Enqueue(BlockingWork work)
    {
        lock (_gate)
        {
            if (_taken == _most)
            {
                _waiting.Enqueue(work);
                return;
            }

            _taken++;
        }

        try
        {
            workers.Enqueue(new SharedWork(this, work));
        }
        catch
        {
            Next();
            throw;
        }
    }

    /// <summary>Runs a function on a worker.</summary>
    /// <exception cref="Protocol.RequestException">OVERLOADED, or what the function throws.</exception>
    public Task<T> RunAsync<T>(Func<T> call)
    {
        var work = new BlockingCall<T>(call);
        Enqueue(work);
        return work.Task;
    }

    /// <summary>Runs a function that is usually short: on the caller's thread, if it may be (<see cref="BlockingWorkers.TryRunHere"/>), else on a worker.</summary>
    /// <exception cref="Protocol.RequestException">OVERLOADED, or what the function throws.</exception>
    public Task<T> RunShortAsync<T>(Func<T> call)
    {
        var work = new BlockingCall<T>(call);
        if (!workers.TryRunHere(work))
        {
            Enqueue(work);
        }

        return work.Task;
    }

    /// <summary>Runs an action that is usually short: on the caller's thread, if it may be, else on a worker.</summary>
    /// <exception cref="Protocol.RequestException">OVERLOADED, or what the action throws.</exception>
    public Task RunShortAsync(Action call) => RunShortAsync(() =>
    {
        call();
        return true;
    });

    /// <summary>Runs an action on a worker.</summary>
    /// <exception cref="Protocol.RequestException">OVERLOADED, or what the action throws.</exception>
    public Task RunAsync(Action call) => RunAsync(() =>
    {
        call();
        return true;
    });

    // A place is free: it goes to who waits longest, behind other owners' work.
    private void Next()
    {
        while (true)
        {
            BlockingWork? next;
            lock (_gate)
            {
                if (!_waiting.TryDequeue(out next))
                {
                    _taken--;
                    return;
                }
            }

            try
            {
                workers.Enqueue(new SharedWork(this, next));
                return;
            }
#pragma warning disable CA1031 // The one who asked for the work gets whatever it is.
            catch (Exception error)
#pragma warning restore CA1031
            {
                next.Refuse(error);
            }
        }
    }

    private sealed class SharedWork(WorkerShare owner, BlockingWork work) : BlockingWork
    {
        public override void Run()
        {
            try
            {
                work.Run();
            }
#pragma warning disable CA1031 // As a worker does it.
            catch (Exception error)
#pragma warning restore CA1031
            {
                work.Refuse(error);
            }
            finally
            {
                owner.Next();
            }
        }

        public override void Refuse(Exception reason)
        {
            work.Refuse(reason);
            owner.Next();
        }
    }
}
