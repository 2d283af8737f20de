using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Runs the writes that are waiting as one transaction, each under a savepoint of its own.</summary>
/// <remarks>
/// A turn of the database's owner: one group at a time, on one thread at a time. Every member ends as if it had run alone, in the order in which
/// they wait; one that fails has done nothing.
/// </remarks>
public sealed class GroupWriter : IDisposable
{
    private readonly QueryConnection _writer;
    private readonly GroupWriterOptions _options;
    private readonly WriterSql _sql;
    private readonly OwnerSql _owner;
    private readonly MemberRunner _members;
    private PendingGroup? _pending;

    /// <summary>Writes through a connection opened for writing, which the caller closes after this.</summary>
    public GroupWriter(QueryConnection writer, GroupWriterOptions? options = null)
    {
        if (!writer.IsWriter)
        {
            throw new ArgumentException("The connection was opened for reading.", nameof(writer));
        }

        _writer = writer;
        _options = options ?? new GroupWriterOptions();
        _sql = new WriterSql(writer);
        _owner = new OwnerSql(writer);
        _members = new MemberRunner(writer);
    }

    /// <summary>SQL of the engine's own on this connection, inside and outside of groups.</summary>
    public OwnerSql Owner => _owner;

    /// <summary>Runs the first of the waiting requests. Their transaction stays open until the group is committed or rolled back.</summary>
    /// <param name="waiting">In order; at least one.</param>
    /// <returns>How many were taken, and what became of each if the group commits.</returns>
    public PendingGroup Execute(IReadOnlyList<SqlRequest> waiting)
    {
        if (waiting.Count == 0)
        {
            throw new ArgumentException("No request is waiting.", nameof(waiting));
        }

        if (_pending is { IsOpen: true })
        {
            throw new InvalidOperationException("The last group was neither committed nor rolled back.");
        }

        _writer.AdoptPolicy();
        _members.Metas.Clear();
        return _pending = RequestShape.IsVacuum(waiting[0]) ? new PendingGroup(this, [new MemberOutcome(waiting[0])], isVacuum: true) : ExecuteGroup(waiting);
    }

    /// <summary>Runs the first of the waiting requests and commits.</summary>
    public PendingGroup Run(IReadOnlyList<SqlRequest> waiting)
    {
        var group = Execute(waiting);
        group.Commit();
        return group;
    }

    /// <summary>Rolls back what is open and frees the statements; the connection stays open.</summary>
    public void Dispose()
    {
        _pending?.Dispose();
        _owner.Dispose();
        _sql.Dispose();
    }

    /// <summary>COMMIT. The members' metas get the size of the database.</summary>
    internal void Commit(List<MemberOutcome> members, bool isVacuum)
    {
        try
        {
            if (isVacuum)
            {
                Vacuum(members[0]);
            }
            else
            {
                _sql.Commit();
            }
        }
        catch (SqliteException error)
        {
            RollbackQuietly();
            FailAll(members, error);
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>Own SQL before COMMIT.</summary>
    /// <returns><see langword="false"/>: it failed, and with it every member.</returns>
    internal bool TryRunOwn(List<MemberOutcome> members, Action<OwnerSql> own)
    {
        try
        {
            own(_owner);
            return true;
        }
        catch (SqliteException error)
        {
            RollbackQuietly();
            FailAll(members, error);
            Reset();
            return false;
        }
    }

    internal void Rollback()
    {
        RollbackQuietly();
        Reset();
    }

    private static void FailAll(List<MemberOutcome> members, SqliteException error)
    {
        foreach (var member in members)
        {
            // One that had failed by itself keeps its error: it was computed in the order of the group, and nothing of it was done either way.
            if (member.Error == null)
            {
                member.Fail(SqlErrors.From(error));
            }
        }
    }

    private PendingGroup ExecuteGroup(IReadOnlyList<SqlRequest> waiting)
    {
        var members = new List<MemberOutcome>(Math.Min(waiting.Count, _options.MaxMembers));
        try
        {
            _sql.Begin();
            Take(waiting, members);
            if (!members.Exists(member => member.Wrote))
            {
                // Nothing stays. COMMIT would write pages that were changed and changed back.
                SetSizes();
                RollbackQuietly();
                Reset();
                return new PendingGroup(this, members, isVacuum: false, isOpen: false);
            }

            SetSizes();
            return new PendingGroup(this, members, isVacuum: false);
        }
        catch (SqliteException error)
        {
            // Not a member's statement but the bracket around them, e.g. because another process holds the file.
            RollbackQuietly();
            Reset();
            while (members.Count < Math.Min(waiting.Count, _options.MaxMembers) && !RequestShape.IsVacuum(waiting[members.Count]))
            {
                members.Add(new MemberOutcome(waiting[members.Count]));
            }

            members.ForEach(static member => member.Fail(null));
            FailAll(members, error);
            return new PendingGroup(this, members, isVacuum: false, isOpen: false);
        }
        catch
        {
            RollbackQuietly();
            Reset();
            throw;
        }
    }

    private void Take(IReadOnlyList<SqlRequest> waiting, List<MemberOutcome> members)
    {
        long resultBytes = 0;
        var time = _writer.Watch.Time;
        while (members.Count < Math.Min(waiting.Count, _options.MaxMembers) && !RequestShape.IsVacuum(waiting[members.Count]))
        {
            var member = new MemberOutcome(waiting[members.Count]);
            members.Add(member);
            var started = time.GetTimestamp();
            RunMember(member);
            if (_writer.IsAutocommit)
            {
                RunOthersAgain(members, member);
                return;
            }

            resultBytes += member.ResultBytes;
            if (_writer.TempTouched // what one makes, the next may not meet; it goes with the end of the transaction
                || resultBytes >= _options.FullResultBytes
                || time.GetElapsedTime(started) >= _options.SlowMember)
            {
                return;
            }
        }
    }

    /// <summary>A member has rolled the whole transaction back. The others run again without it, until none does so.</summary>
    /// <remarks>
    /// All of them, also those that had failed: an error may come from a neighbour that is gone. Each round takes one member out, so it ends. The one
    /// that is out keeps its error: it did nothing, at its place in the order.
    /// </remarks>
    private void RunOthersAgain(List<MemberOutcome> members, MemberOutcome culprit)
    {
        var culprits = new HashSet<MemberOutcome> { culprit };
        bool lost;
        do
        {
            lost = false;
            _writer.AfterRollback();
            _members.Metas.Clear();
            _sql.Begin();
            foreach (var member in members)
            {
                if (culprits.Contains(member))
                {
                    continue;
                }

                RunMember(member);
                if (_writer.IsAutocommit)
                {
                    culprits.Add(member);
                    lost = true;
                    break;
                }
            }
        }
        while (lost);
    }

    private void RunMember(MemberOutcome member)
    {
        var metas = _members.Metas.Count;
        member.Fail(null); // nothing of an earlier round
        try
        {
            _sql.Savepoint();
            if (RunInSavepoint(member))
            {
                _sql.Release();
                return;
            }
        }
        finally
        {
            _writer.Watch.Stop();
        }

        _members.Metas.RemoveRange(metas, _members.Metas.Count - metas);
        if (!_writer.IsAutocommit)
        {
            _sql.Undo();
        }
    }

    private bool RunInSavepoint(MemberOutcome member)
    {
        var request = member.Request;
        try
        {
            request.Cancellation.ThrowIfCancellationRequested();
            request.Progress?.Stage = RequestStage.Running;
            if (request.Steps != null && !request.Steps.Before(_owner))
            {
                member.AnsweredBefore = true;
                return true;
            }

            _writer.Writes.BeginRequest();
            _writer.Watch.Start(request.Timeout, request.Cancellation);
            _members.Run(request, member);
            _members.CheckSwitchedForeignKeys();
            _writer.Watch.Stop();
            RunStepsAfter(member);
            _members.CheckDeferredForeignKeys();
            if (request.Progress is { } progress)
            {
                progress.Stage = RequestStage.WaitingForQuorum; // from here on nobody ends it from outside; who has done so before was told that nothing was done
                request.Cancellation.ThrowIfCancellationRequested();
            }

            return true;
        }
        catch (Exception error) when (error is RequestException or OperationCanceledException)
        {
            member.Fail(error);
            return false;
        }
        catch (SqliteException error)
        {
            member.Fail(SqlErrors.From(error)); // of the steps' SQL
            return false;
        }
        finally
        {
            _members.EndRequest();
            _writer.ResetAfterRequest();
        }
    }

    private void RunStepsAfter(MemberOutcome member)
    {
        if (member.Request.Steps is { } steps)
        {
            var before = NativeMethods.fast_total_changes64(_writer.Connection.Handle);
            steps.After(_owner, member);
            member.Wrote |= NativeMethods.fast_total_changes64(_writer.Connection.Handle) != before;
        }
    }

    private void Vacuum(MemberOutcome member)
    {
        var request = member.Request;
        PreparedSql? statement = null;
        try
        {
            request.Cancellation.ThrowIfCancellationRequested();
            if (!_writer.Policy.AllowVacuum)
            {
                throw SqlErrors.At(ErrorCodes.SqliteAuth, $"VACUUM is not allowed by the profile '{_writer.Policy.Name}'.", 0, sqliteCode: SqliteCodes.Auth);
            }

            request.Progress?.Stage = RequestStage.Running;
            _writer.Watch.Start(request.Timeout, request.Cancellation);
            statement = _writer.Rent(request.Statements[0].Sql, 0, StatementRunner.VacuumRefusal);
            _writer.Runner.Begin(request.MaxResultBytes);
            _writer.Runner.UseValues(request.Statements[0], script: false);
            var result = _writer.Runner.RunToResult(statement, 0, alone: true);
            result.Meta.ChangedDb = true;
            _members.Metas.Add(result.Meta);
            member.Results = request.AsParts ? [] : [result];
            member.Parts = request.AsParts ? [new() { Header = new() }, new() { End = result.Meta }] : [];
            member.Wrote = true;

            _writer.Watch.Stop();
            SetSizes();
        }
        catch (Exception error) when (error is RequestException or OperationCanceledException)
        {
            member.Fail(error);
        }
        finally
        {
            _writer.Watch.Stop();
            _writer.Runner.Abandon();
            if (statement != null)
            {
                QueryConnection.Return(statement);
            }
        }
    }

    /// <summary>One look for the whole group: the size after a statement is the size after the commit that it is part of.</summary>
    private void SetSizes()
    {
        var size = _members.Metas.Count == 0 ? 0 : _writer.SizeBytes();
        foreach (var meta in _members.Metas)
        {
            meta.SizeAfter = size;
        }
    }

    private void RollbackQuietly()
    {
        try
        {
            _sql.Rollback();
        }
        catch (SqliteException) when (_writer.IsAutocommit)
        {
            // It is rolled back, which is all that was wanted.
        }
    }

    private void Reset()
    {
        _writer.Watch.Stop();
        _writer.ResetAfterTransaction();
    }
}
