using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Who waits for the writer, in order: writes, which go in groups, and callers who want it for themselves. What is first comes first, whichever it is.</summary>
/// <remarks>Bounded: what is too much is refused at once. Safe for use by any thread.</remarks>
internal sealed class WriteQueue(int limit, PrimaryMetrics metrics)
{
    private readonly Lock _gate = new();
    private readonly Queue<IWaiting> _waiting = new(); // under _gate
    private RequestException? _closed; // under _gate
    private RequestException? _suspended; // under _gate

    /// <summary>How many wait.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <exception cref="RequestException">Too many wait, or the primary has stopped.</exception>
    public void Add(IWaiting waiting)
    {
        lock (_gate)
        {
            if ((_closed ?? _suspended) is { } refusal)
            {
                throw refusal;
            }

            if (_waiting.Count >= limit)
            {
                throw Overloaded();
            }

            _waiting.Enqueue(waiting);
        }

        metrics.Waiting.Add(1);
    }

    /// <summary>The caller who is first, if he wants the writer for himself; he has left the queue.</summary>
    public PendingTurn? TakeTurn()
    {
        lock (_gate)
        {
            DropWhoGaveUp();
            if (!_waiting.TryPeek(out var first) || first is not PendingTurn turn)
            {
                return null;
            }

            Dequeue(1);
            return turn;
        }
    }

    /// <summary>The writes that may be one group: those before the first caller who wants the writer for himself. They stay until <see cref="TryTake"/>.</summary>
    public void Peek(int max, List<PendingWrite> into)
    {
        HashSet<string>? keys = null;
        lock (_gate)
        {
            DropWhoGaveUp();
            foreach (var waiting in _waiting)
            {
                // A key that comes again has to find what the first one left, which is written when the group is complete.
                if (into.Count >= max || waiting is not PendingWrite write || (write.Keyed is { } keyed && !(keys ??= []).Add(keyed.Key)))
                {
                    return;
                }

                into.Add(write);
            }
        }
    }

    /// <summary>Removes the first so many of those that <see cref="Peek"/> gave, which were begun: from here on whoever removed them answers them.</summary>
    /// <returns><see langword="false"/>: the queue was closed or suspended meanwhile, and all of them are refused. Who waits now came later.</returns>
    public bool TryTake(List<PendingWrite> peeked, int count)
    {
        lock (_gate)
        {
            if (_closed is not null || count == 0 || _waiting.Count < count || !ReferenceEquals(_waiting.Peek(), peeked[0]))
            {
                return false;
            }

            Dequeue(count);
            return true;
        }
    }

    /// <summary>Refuses those who wait and those who come. None of them has been begun.</summary>
    public void Close(RequestException reason)
    {
        List<IWaiting> refused;
        lock (_gate)
        {
            _closed ??= reason;
            refused = [.. _waiting];
            Dequeue(_waiting.Count);
        }

        foreach (var waiting in refused)
        {
            waiting.Refuse(reason);
        }
    }

    /// <summary>Refuses those who wait and those who come, until it is called with nothing.</summary>
    public void Suspend(RequestException? reason)
    {
        List<IWaiting> refused = [];
        lock (_gate)
        {
            _suspended = reason;
            if (reason is not null)
            {
                refused = [.. _waiting];
                Dequeue(_waiting.Count);
            }
        }

        foreach (var waiting in refused)
        {
            waiting.Refuse(reason!);
        }
    }

    private void DropWhoGaveUp()
    {
        while (_waiting.TryPeek(out var first) && first.HasGivenUp())
        {
            Dequeue(1);
        }
    }

    private void Dequeue(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _waiting.Dequeue();
        }

        metrics.Waiting.Add(-count);
    }

    private RequestException Overloaded() =>
        RequestException.Overloaded($"{limit} writes wait for this database already. Nothing was done; try again in a moment.", TimeSpan.FromMilliseconds(200));
}
