using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>Counts the snapshots that are being sent. Each has a connection of its own on the file, which must be closed before the copy gets another role.</summary>
/// <remarks>Safe for use by any thread.</remarks>
public sealed class OpenSnapshots
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _users; // under _gate
    private bool _closing; // under _gate

    /// <summary>Begins to send one; the result's disposal ends it.</summary>
    /// <exception cref="RequestException">The copy is going away.</exception>
    public IDisposable Enter()
    {
        lock (_gate)
        {
            if (_closing)
            {
                throw new RequestException(ErrorCodes.NoPrimary, "This copy is going away. Nothing was done; try again.");
            }

            _users++;
            return new Use(this);
        }
    }

    /// <summary>Refuses new ones, and completes when the last one has ended.</summary>
    public Task CloseAsync()
    {
        lock (_gate)
        {
            _closing = true;
            if (_users == 0)
            {
                _closed.TrySetResult();
            }

            return _closed.Task;
        }
    }

    private void Leave()
    {
        lock (_gate)
        {
            if (--_users == 0 && _closing)
            {
                _closed.TrySetResult();
            }
        }
    }

    private sealed class Use(OpenSnapshots owner) : IDisposable
    {
        public void Dispose() => owner.Leave();
    }
}
