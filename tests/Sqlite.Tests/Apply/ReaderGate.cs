namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>Lets readers in, or holds new ones back until those inside are gone: what a replica does while its WAL restarts.</summary>
internal sealed class ReaderGate : IDisposable
{
    private readonly ReaderWriterLockSlim _lock = new();

    public void Read(Action read)
    {
        _lock.EnterReadLock();
        try
        {
            read();
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>Runs something while no reader is inside.</summary>
    public T Alone<T>(Func<T> act)
    {
        _lock.EnterWriteLock();
        try
        {
            return act();
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }

    public void Dispose() => _lock.Dispose();
}
