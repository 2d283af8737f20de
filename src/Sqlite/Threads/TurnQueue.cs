using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <summary>The turns of one owner, such as a database's writer: one after the other, on whichever worker is free, never a thread per owner.</summary>
/// <remarks>Safe for use by any thread. Turns run in the order in which they came; one sees all that the earlier ones have written to memory.</remarks>
/// <param name="workers">Where the turns run.</param>
/// <param name="maxQueued">Most turns that wait.</param>
public sealed class TurnQueue(BlockingWorkers workers, int maxQueued)
{
    private const int TurnsInARow = 16; // then other owners get the thread

    private readonly Lock _gate = new();
    private readonly Queue<BlockingWork> _turns = new(); // under _gate
    private Drain? _drain;
    private bool _isScheduled; // under _gate: a drain is queued or runs

    /// <summary>Turns that wait.</summary>
    public int Queued
    {
        get
        {
            lock (_gate)
            {
                return _turns.Count;
            }
        }
    }

    /// <summary>Queues a turn.</summary>
    /// <exception cref="RequestException">OVERLOADED, with a time to try again: too many wait, here or at the workers.</exception>
    /// <exception cref="ObjectDisposedException">The workers are closed.</exception>
    public void Enqueue(BlockingWork turn)
    {
        lock (_gate)
        {
            if (_turns.Count >= maxQueued)
            {
                throw BlockingWorkers.Overloaded($"{maxQueued} turns are waiting");
            }

            if (!_isScheduled)
            {
                workers.Enqueue(_drain ??= new Drain(this)); // first, since it may be refused
                _isScheduled = true;
            }

            _turns.Enqueue(turn);
        }
    }

    /// <summary>Runs a function as a turn.</summary>
    /// <exception cref="RequestException">OVERLOADED, or what the function throws.</exception>
    public Task<T> RunAsync<T>(Func<T> call)
    {
        var work = new BlockingCall<T>(call);
        Enqueue(work);
        return work.Task;
    }

    /// <summary>Runs an action as a turn.</summary>
    /// <exception cref="RequestException">OVERLOADED, or what the action throws.</exception>
    public Task RunAsync(Action call) => RunAsync(() =>
    {
        call();
        return true;
    });

    private bool TryNext(int turnsDone, out BlockingWork? turn)
    {
        lock (_gate)
        {
            if (_turns.Count == 0)
            {
                _isScheduled = false;
                turn = null;
                return false;
            }

            if (turnsDone >= TurnsInARow && TryYield())
            {
                turn = null;
                return false;
            }

            turn = _turns.Dequeue();
            return true;
        }
    }

    private bool TryYield()
    {
        try
        {
            return workers.TryEnqueue(_drain!); // full: go on here
        }
        catch (ObjectDisposedException)
        {
            return false; // the turns that wait are run, as those that a worker runs
        }
    }

    private void RefuseAll(Exception reason)
    {
        List<BlockingWork> refused;
        lock (_gate)
        {
            refused = [.. _turns];
            _turns.Clear();
            _isScheduled = false;
        }

        foreach (var turn in refused)
        {
            turn.Refuse(reason);
        }
    }

    private sealed class Drain(TurnQueue owner) : BlockingWork
    {
        public override void Run()
        {
            for (var done = 0; owner.TryNext(done, out var turn); done++)
            {
                try
                {
                    turn!.Run();
                }
#pragma warning disable CA1031 // The one who asked for the turn gets whatever it threw.
                catch (Exception error)
#pragma warning restore CA1031
                {
                    turn!.Refuse(error);
                }
            }
        }

        public override void Refuse(Exception reason) => owner.RefuseAll(reason);
    }
}
