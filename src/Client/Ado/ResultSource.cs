namespace ReplicatedSqlite;

/// <summary>The results of a call, one after the other, batch by batch, under a reader.</summary>
internal sealed class ResultSource : IAsyncDisposable
{
    private const int MaxBuffered = 256; // messages, of 64 to 256 KiB

    private readonly IAsyncEnumerator<StreamPart> _parts;
    private readonly CommandRequest _request;
    private readonly CommandCall _call;
    private readonly ReplicatedSqliteBatch? _batch;
    private Queue<StreamPart>? _buffered;
    private StreamPart? _current;
    private ChangeCount _changes = ChangeCount.None;
    private bool _isInResult; // its end has not come
    private bool _isDone;
    private bool _hasFailed;

    public ResultSource(IAsyncEnumerable<StreamPart> parts, CommandRequest request, CommandCall call, ReplicatedSqliteBatch? batch)
    {
        _parts = parts.GetAsyncEnumerator(call.Token);
        _request = request;
        _call = call;
        _batch = batch;
    }

    public ResultColumns Columns { get; private set; } = ResultColumns.None;

    /// <summary>The rows that came last; null before the first of a result and after its last.</summary>
    public RowBlock? Block { get; private set; }

    public bool HasRows { get; private set; }

    public ChangeCount Changes => _changes;

    /// <summary>Goes on to the next result that has columns, and to its first rows.</summary>
    public async Task<bool> NextResultAsync(CancellationToken cancellationToken)
    {
        Columns = ResultColumns.None;
        HasRows = false;
        Block = null;
        while (await MoveAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_current is not ResultStart { Columns: { Count: > 0 } columns }) continue;
            Columns = columns;
            HasRows = await NextRowsAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }

        return false;
    }

    /// <summary>Passes over all further results.</summary>
    public async Task<bool> SkipResultsAsync(CancellationToken cancellationToken)
    {
        Columns = ResultColumns.None;
        HasRows = false;
        Block = null;
        await FinishAsync(cancellationToken).ConfigureAwait(false);
        return false;
    }

    /// <summary>The next rows of this result; false after its last.</summary>
    public async Task<bool> NextRowsAsync(CancellationToken cancellationToken)
    {
        Block = null;
        while (_isInResult && await MoveAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_current is not ResultRows { Rows: { Count: > 0 } rows }) continue;
            Block = rows.Block;
            return true;
        }

        // What follows the last rows of the only statement is the end, which is here already or comes at once: then the session and the transaction know of it.
        if (_request.IsSingle && !_isDone && !_hasFailed) await MoveAsync(cancellationToken).ConfigureAwait(false);
        return false;
    }

    /// <summary>Reads to the end where somebody needs it: the session the bookmark of a write, a transaction its stream for the next step.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken = default)
    {
        if (!_request.MayWrite && _batch is null && !IsInTransaction) return;
        while (!_hasFailed && await MoveAsync(cancellationToken).ConfigureAwait(false))
        {
        }
    }

    /// <summary>Whether the parts come from a transaction, whose stream goes on after them.</summary>
    public bool IsInTransaction { get; init; }

    /// <summary>Takes all that is to come into memory.</summary>
    /// <exception cref="InvalidOperationException">It is more than some ten MiB.</exception>
    public async Task BufferAsync()
    {
        _buffered ??= new Queue<StreamPart>();
        while (!_isDone && !_hasFailed && await FetchAsync(CancellationToken.None).ConfigureAwait(false))
        {
            if (_buffered.Count >= MaxBuffered)
            {
                throw new InvalidOperationException(
                    "A reader of this transaction is open, and more rows are to come than are kept in memory. Read it to its end, or dispose it, before the next command.");
            }

            _buffered.Enqueue(_parts.Current);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_isDone && !_hasFailed)
        {
            // In a transaction an unfinished step is read away, as ending the call would end the transaction.
            if (IsInTransaction) await DrainAsync().ConfigureAwait(false);
            else await _call.CancelAsync().ConfigureAwait(false);
        }

        await _parts.DisposeAsync().ConfigureAwait(false);
        _call.Dispose();
    }

    private async Task DrainAsync()
    {
        try
        {
            while (await MoveAsync(CancellationToken.None).ConfigureAwait(false))
            {
            }
        }
        catch (Exception e) when (e is ReplicatedSqliteException or OperationCanceledException or InvalidOperationException)
        {
            // Whoever disposes is not interested any more.
        }
    }

    // One part on; false after the last.
    private async ValueTask<bool> MoveAsync(CancellationToken cancellationToken)
    {
        if (_buffered is { Count: > 0 } buffered) _current = buffered.Dequeue();
        else if (_isDone) return false;
        else if (await FetchAsync(cancellationToken).ConfigureAwait(false)) _current = _parts.Current;
        else return false;

        switch (_current)
        {
            case ResultStart:
                _isInResult = true;
                break;
            case ResultEnd end:
                _isInResult = false;
                _changes.Add(end.Meta.Changes, end.Meta.LastRowId, Columns.Count, _request.MayWrite);
                _batch?.Ended(end.StatementIndex, end.Meta, Columns.Count);
                break;
        }

        return true;
    }

    private async ValueTask<bool> FetchAsync(CancellationToken cancellationToken)
    {
        try
        {
            var next = _parts.MoveNextAsync();
            var more = next.IsCompletedSuccessfully ? next.GetAwaiter().GetResult() : await _call.WaitAsync(next, cancellationToken).ConfigureAwait(false);
            if (!more || _parts.Current is StreamDone) _isDone = true;
            return more;
        }
        catch
        {
            _hasFailed = true;
            throw;
        }
    }
}
