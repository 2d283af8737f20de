using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>The states that the file has gone through since the last confirmed one, as SQLite can open them again.</summary>
/// <remarks>
/// While followers are missed, the newest state may never be confirmed, and nobody may see it; the last confirmed one lies in the WAL still, since nothing
/// unconfirmed is checkpointed. The writer's turn adds, and all use is under the commit lock. As many as there may be unconfirmed entries.
/// </remarks>
internal sealed class ConfirmedStates
{
    private readonly Queue<(Position End, WalIndexHeader State)> _later = new();
    private (Position End, WalIndexHeader State)? _last; // the newest that was confirmed when somebody looked

    /// <summary>The file has gone from one state to the next.</summary>
    /// <param name="before">Where the log ended before.</param>
    /// <param name="stateBefore">That state, as the WAL of now knows it.</param>
    /// <param name="after">Where it ends now.</param>
    /// <param name="stateAfter">What is visible now.</param>
    /// <param name="confirmed">What is confirmed.</param>
    public void Add(Position before, in WalIndexHeader stateBefore, Position after, in WalIndexHeader stateAfter, Position confirmed)
    {
        if (_last is null || (before <= confirmed && _last.Value.State.Salts != stateBefore.Salts))
        {
            _later.Clear(); // the WAL was begun anew, which it is only when all of it was confirmed
            _last = (before, stateBefore);
        }

        _later.Enqueue((after, stateAfter));
        Trim(confirmed);
    }

    /// <summary>The newest state that is confirmed.</summary>
    /// <returns><see langword="null"/> if it is not known: nothing has been written under this leadership.</returns>
    public (Position End, WalIndexHeader State)? Find(Position confirmed)
    {
        Trim(confirmed);
        return _last;
    }

    private void Trim(Position confirmed)
    {
        while (_later.TryPeek(out var next) && next.End <= confirmed)
        {
            _last = _later.Dequeue();
        }
    }
}
