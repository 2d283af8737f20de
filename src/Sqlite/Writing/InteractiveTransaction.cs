using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <summary>A transaction that a client leads step by step, on the writer. No group runs until it has ended.</summary>
/// <remarks>The caller keeps its time limits. Pragmas and temp objects last until it ends.</remarks>
public sealed class InteractiveTransaction : IDisposable
{
    private readonly QueryConnection _writer;
    private readonly WriterSql _sql;
    private readonly MemberRunner _runner;

    /// <summary>Begins.</summary>
    /// <exception cref="RequestException">OVERLOADED: another process holds the file.</exception>
    public InteractiveTransaction(QueryConnection writer)
    {
        _writer = writer;
        _writer.AdoptPolicy();
        _sql = new WriterSql(writer);
        _runner = new MemberRunner(writer, _sql);
        try
        {
            _sql.Begin();
        }
        catch (SqliteException error)
        {
            _sql.Dispose();
            throw SqlErrors.From(error);
        }

        IsOpen = true;
        _writer.Writes.BeginRequest();
        _writer.Authorizer.AllowSavepoints = true;
    }

    /// <summary>It can go on. A statement may have rolled it all back.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>A statement that writes has run.</summary>
    public bool Wrote { get; private set; }

    /// <summary>Runs statements. One that fails is undone alone: those before it stay, and the transaction goes on, unless it is no longer open.</summary>
    /// <returns>The results; or the error, with the parts of the results of those before it.</returns>
    public MemberOutcome Execute(SqlRequest request)
    {
        ObjectDisposedException.ThrowIf(!IsOpen, this);
        var outcome = new MemberOutcome(request);
        _runner.Metas.Clear();
        _writer.Watch.Start(request.Timeout, request.Cancellation);
        try
        {
            _runner.Run(request, outcome);
        }
        catch (Exception error) when (error is RequestException or OperationCanceledException)
        {
            Wrote |= outcome.Wrote;
            var kept = outcome.CompleteParts;
            outcome.Fail(error);
            outcome.Parts = kept;
        }
        finally
        {
            _writer.Watch.Stop();
            if (_writer.IsAutocommit)
            {
                outcome.Parts = []; // what they tell of is undone
                End();
            }
        }

        if (IsOpen)
        {
            Wrote |= outcome.Wrote;
            var size = _writer.SizeBytes();
            foreach (var meta in _runner.Metas)
            {
                meta.SizeAfter = size;
            }
        }

        return outcome;
    }

    /// <summary>Runs the statements of a long text. The first that fails ends it: the caller rolls back.</summary>
    /// <param name="sql">UTF-8, read to its end.</param>
    /// <param name="mostBytes">No more pages may be written by it.</param>
    /// <param name="cancellationToken">Interrupts it.</param>
    /// <exception cref="RequestException">One failed, or they write too much.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public ScriptOutcome RunScript(Stream sql, long mostBytes, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(!IsOpen, this);
        var before = _writer.WrittenBytes;
        _writer.Authorizer.AllowSavepoints = false;
        _writer.Watch.Start(TimeSpan.Zero, cancellationToken);
        try
        {
            var outcome = ScriptRunner.Run(_writer, sql, read: null);
            Wrote |= outcome.Wrote;

            // Each page counts once, so that a database no larger than that is no matter; of a larger one, what left the cache is not less than the truth.
            return _writer.SizeBytes() <= mostBytes || _writer.WrittenBytes - before + _writer.PageCacheBytes <= mostBytes
                ? outcome
                : throw SqlErrors.At(ErrorCodes.SqliteTooBig, $"The statements write more than {mostBytes >> 20} MiB of pages, and one transaction holds no more. Nothing was done; import in several files.", -1);
        }
        finally
        {
            _writer.Watch.Stop();
            if (_writer.IsAutocommit)
            {
                End();
            }
        }
    }

    /// <summary>Commits and ends it.</summary>
    /// <param name="own">SQL of the engine's own that becomes part of it, right before the end.</param>
    /// <exception cref="RequestException">Nothing was done, e.g. since a deferred foreign key does not hold.</exception>
    public void Commit(Action? own = null)
    {
        ObjectDisposedException.ThrowIf(!IsOpen, this);
        try
        {
            own?.Invoke();
            _sql.Commit();
        }
        catch (SqliteException error)
        {
            throw SqlErrors.From(error);
        }
        finally
        {
            End();
        }
    }

    /// <summary>Rolls back and ends it, unless it has ended.</summary>
    public void Dispose()
    {
        if (IsOpen)
        {
            End();
        }
    }

    private void End()
    {
        IsOpen = false;
        _writer.Authorizer.AllowSavepoints = false;
        try
        {
            _sql.Rollback(); // nothing, after a commit
        }
        finally
        {
            _sql.Dispose();
            _writer.ResetAfterTransaction();
        }
    }
}
