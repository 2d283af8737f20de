using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Primary;

/// <summary>The writes that wait for their turn, in order. Bounded: what is too much is refused at once. Safe for use by any thread.</summary>
internal sealed class WriteQueue(int limit)
{
    private readonly Lock _gate = new();
    private readonly Queue<PendingWrite> _waiting = new(); // under _gate
    private Exception? _closed; // under _gate

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
    public void Add(PendingWrite write)
    {
        lock (_gate)
        {
            if (_closed is not null)
            {
                throw _closed;
            }

            if (_waiting.Count >= limit)
            {
                throw Overloaded();
            }

            _waiting.Enqueue(write);
        }
    }

    /// <summary>The first of those who wait. They stay until <see cref="Take"/>; who gave up is dropped.</summary>
    public void Peek(int max, List<PendingWrite> into)
    {
        lock (_gate)
        {
            while (_waiting.TryPeek(out var first) && first.Request.Cancellation.IsCancellationRequested)
            {
                _waiting.Dequeue();
                first.TrySetCanceled(first.Request.Cancellation);
            }

            foreach (var write in _waiting)
            {
                if (into.Count >= max)
                {
                    return;
                }

                into.Add(write);
            }
        }
    }

    /// <summary>Removes the first so many.</summary>
    public void Take(int count)
    {
        lock (_gate)
        {
            for (var i = 0; i < count; i++)
            {
                _waiting.Dequeue();
            }
        }
    }

    /// <summary>Refuses those who wait and those who come. None of them has been begun.</summary>
    public void Close(RequestException reason)
    {
        List<PendingWrite> refused;
        lock (_gate)
        {
            _closed ??= reason;
            refused = [.. _waiting];
            _waiting.Clear();
        }

        foreach (var write in refused)
        {
            write.TrySetException(reason);
        }
    }

    private RequestException Overloaded() => new(
        new SqlError
        {
            Code = ErrorCodes.Overloaded,
            StatementIndex = -1,
            SqlOffset = -1,
            CommitState = CommitState.NotCommitted,
            Retryable = true,
            RetryAfter = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(200)),
        },
        $"{limit} writes wait for this database already. Nothing was done; try again in a moment.");
}
