using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>One turn at a time for whoever gives a database's copy on this node a role, or removes it. Safe for use by any thread.</summary>
internal sealed class CopyRoles
{
    private readonly Lock _gate = new();
    private readonly Dictionary<DatabaseId, (SemaphoreSlim Turn, int Users)> _turns = []; // under _gate; only of those in use

    /// <summary>Waits for the turn, which ends when the result is disposed.</summary>
    public async Task<IDisposable> EnterAsync(DatabaseId database, CancellationToken cancellationToken)
    {
        SemaphoreSlim turn;
        lock (_gate)
        {
            var (found, users) = _turns.GetValueOrDefault(database);
            turn = found ?? new SemaphoreSlim(1);
            _turns[database] = (turn, users + 1);
        }

        try
        {
            await turn.WaitAsync(cancellationToken);
        }
        catch
        {
            Leave(database);
            throw;
        }

        return new Turn(this, database, turn);
    }

    private void Leave(DatabaseId database)
    {
        lock (_gate)
        {
            var (turn, users) = _turns[database];
            if (users == 1)
            {
                _turns.Remove(database);
                turn.Dispose();
            }
            else
            {
                _turns[database] = (turn, users - 1);
            }
        }
    }

    private sealed class Turn(CopyRoles owner, DatabaseId database, SemaphoreSlim turn) : IDisposable
    {
        public void Dispose()
        {
            turn.Release();
            owner.Leave(database);
        }
    }
}
