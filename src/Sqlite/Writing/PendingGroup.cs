namespace ReplicatedSqlite.Sqlite;

/// <summary>A group of requests whose statements have run and whose transaction is open. End it before the next one starts.</summary>
/// <remarks>
/// COMMIT is a call of its own so that the caller can hold its lock around the commit and the capture of its pages, and nothing longer.
/// A VACUUM runs inside <see cref="Commit"/>.
/// </remarks>
public sealed class PendingGroup : IDisposable
{
    private readonly GroupWriter _writer;
    private readonly List<MemberOutcome> _members;
    private readonly bool _isVacuum;

    internal PendingGroup(GroupWriter writer, List<MemberOutcome> members, bool isVacuum, bool isOpen = true)
    {
        _writer = writer;
        _members = members;
        _isVacuum = isVacuum;
        IsOpen = isOpen;
    }

    /// <summary>Its commit takes as long as copying the whole file.</summary>
    public bool IsVacuum => _isVacuum;

    /// <summary>How many of the waiting requests are in it, from the first on.</summary>
    public int Taken => _members.Count;

    /// <summary>What became of each, in order. Final once the group has ended.</summary>
    public IReadOnlyList<MemberOutcome> Members => _members;

    /// <summary>It has to be committed. A group of which nothing stays has ended already.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>COMMIT succeeded. Otherwise the database is as it was.</summary>
    public bool IsCommitted { get; private set; }

    /// <summary>Runs SQL of the engine's own in the open transaction, after all members: it stays if, and only if, the group is committed.</summary>
    /// <remarks>If SQLite refuses it the group has ended: every member has failed, with nothing done.</remarks>
    public void RunOwn(Action<OwnerSql> own)
    {
        if (IsOpen && !_isVacuum)
        {
            IsOpen = _writer.TryRunOwn(_members, own);
        }
    }

    /// <summary>Commits, if there is anything to commit. Never throws for what SQLite says: a commit that fails fails every member, with nothing done.</summary>
    /// <returns>Whether something was committed, as <see cref="IsCommitted"/>.</returns>
    public bool Commit()
    {
        if (IsOpen)
        {
            IsOpen = false;
            _writer.Commit(_members, _isVacuum);
            IsCommitted = _members.Exists(static member => member is { Error: null, Wrote: true });
        }

        return IsCommitted;
    }

    /// <summary>Gives the group up: nothing of it is done, and its outcomes mean nothing.</summary>
    public void Rollback()
    {
        if (IsOpen)
        {
            IsOpen = false;
            if (!_isVacuum)
            {
                _writer.Rollback();
            }
        }
    }

    /// <summary>Rolls back, unless the group has ended.</summary>
    public void Dispose() => Rollback();
}
