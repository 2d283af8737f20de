using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica;

/// <summary>Parks those who wait until readers here can see a bookmark.</summary>
/// <remarks>
/// A synchronous state machine, used by one thread at a time. A target is fixed when the wait begins, so that a writer who is faster than we are keeps nobody
/// waiting for ever. Waiters are ordered by target and woken by the mark; they hold no snapshot and never poll. The number of them is bounded by the shell's admission.
/// </remarks>
/// <typeparam name="TToken">Names a waiter.</typeparam>
internal sealed class WaitCore<TToken>
    where TToken : class
{
    private readonly SortedSet<Waiter> _byTarget = new(Comparer<Waiter>.Create(
        static (left, right) => (left.Target, left.Id).CompareTo((right.Target, right.Id))));

    private readonly SortedSet<Waiter> _byDeadline = new(Comparer<Waiter>.Create(
        static (left, right) => (left.Deadline, left.Id).CompareTo((right.Deadline, right.Id))));

    private readonly Dictionary<TToken, Waiter> _byToken = [];
    private volatile WaitView _view; // any thread may look
    private bool _stopped;
    private long _nextId;

    public WaitCore(EpochTable epochs) => _view = new WaitView(epochs);

    /// <summary>What is judged by. Any thread may take it, at any time.</summary>
    public WaitView View => _view;

    /// <summary>How many wait.</summary>
    public int Count => _byTarget.Count;

    /// <summary>When the next wait times out; <see langword="null"/> if nobody waits. In the units of the caller's clock.</summary>
    public long? NextDeadline => _byDeadline.Count > 0 ? _byDeadline.Min!.Deadline : null;

    /// <summary>Waits for a bookmark.</summary>
    /// <returns>How it ended at once; <see langword="null"/> if it is parked and ends later.</returns>
    public WaitResult? Wait(Bookmark target, long deadline, TToken token)
    {
        if (Judge(target) is { } result)
        {
            return result;
        }

        if (_stopped)
        {
            return WaitResult.Closed;
        }

        var waiter = new Waiter(target, deadline, ++_nextId, token);
        _byTarget.Add(waiter);
        _byDeadline.Add(waiter);
        _byToken.Add(token, waiter);
        return null;
    }

    /// <summary>A waiter gave up by himself.</summary>
    /// <returns><see langword="false"/> if its wait had ended.</returns>
    public bool Cancel(TToken token)
    {
        if (!_byToken.TryGetValue(token, out var waiter))
        {
            return false;
        }

        Remove(waiter);
        return true;
    }

    /// <summary>Readers see more.</summary>
    public void Advance(Position visible, ICollection<WaitAction<TToken>> ended)
    {
        _view = _view with { IsReady = true, Visible = visible };
        while (_byTarget.Count > 0 && Judge(_byTarget.Min!.Target) is { } result)
        {
            End(_byTarget.Min!, result, ended);
        }
    }

    /// <summary>The table of confirmed epochs grew: every waiter is looked at again, for some targets may lie on an abandoned tail.</summary>
    public void Grow(EpochTable epochs, ICollection<WaitAction<TToken>> ended)
    {
        if (epochs.CurrentEpoch < _view.Epochs.CurrentEpoch)
        {
            return; // an old entry that came again carries an old table; with it an abandoned target would look like one that is passed
        }

        _view = _view with { Epochs = epochs };
        foreach (var waiter in _byTarget.ToList())
        {
            if (Judge(waiter.Target) is { } result)
            {
                End(waiter, result, ended);
            }
        }
    }

    /// <summary>Time has passed.</summary>
    public void Pass(long now, ICollection<WaitAction<TToken>> ended)
    {
        while (_byDeadline.Count > 0 && _byDeadline.Min!.Deadline <= now)
        {
            End(_byDeadline.Min!, WaitResult.TimedOut, ended);
        }
    }

    /// <summary>The copy shows nothing for now: it is built again.</summary>
    public void Suspend() => _view = _view with { IsReady = false };

    /// <summary>Nothing more arrives: what is visible may still be read, and nobody waits for more.</summary>
    public void Stop(ICollection<WaitAction<TToken>> ended)
    {
        _stopped = true;
        EndAll(ended);
    }

    /// <summary>The copy goes away; nobody is left waiting.</summary>
    public void Close(ICollection<WaitAction<TToken>> ended)
    {
        _view = _view with { IsClosed = true };
        EndAll(ended);
    }

    private WaitResult? Judge(Bookmark target) => _view.Judge(target);

    private void EndAll(ICollection<WaitAction<TToken>> ended)
    {
        while (_byTarget.Count > 0)
        {
            End(_byTarget.Min!, WaitResult.Closed, ended);
        }
    }

    private void End(Waiter waiter, WaitResult result, ICollection<WaitAction<TToken>> ended)
    {
        Remove(waiter);
        ended.Add(new(waiter.Token, result));
    }

    private void Remove(Waiter waiter)
    {
        _byTarget.Remove(waiter);
        _byDeadline.Remove(waiter);
        _byToken.Remove(waiter.Token);
    }

    private sealed record Waiter(Bookmark Target, long Deadline, long Id, TToken Token);
}
