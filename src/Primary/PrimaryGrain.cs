using System.Runtime.CompilerServices;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>The primary of one database: takes its writes, answers its reads, ships its log.</summary>
/// <remarks>
/// Nothing that was read from the file leaves before the state it was read from is confirmed: rows, counts, errors and snapshots all pass the same gate.
/// Safe for use by any thread; the file's own turns are <see cref="DatabaseWriter"/>'s.
/// </remarks>
public sealed partial class PrimaryGrain : IDatabaseCopy, ITimeTravel
{
    private readonly PrimaryContext _context;
    private readonly DatabaseId _database;
    private readonly PrimaryFile _file;
    private readonly Leadership _leadership;
    private readonly ReplicatedLog _log;
    private readonly DurableBases _bases = new();
    private readonly ColdUploader? _uploader; // brings the confirmed log to cold storage
    private readonly LogTrimmer _trimmer;
    private readonly DatabaseWriter _writer;
    private readonly Lock _commit = new();
    private readonly Lock _refusal = new(); // around a look at the log's refusal and what the writer is told of it
    private readonly KnownTexts _known = new();
    private readonly ReadRunner<Position> _reads;
    private readonly ReadRunner<Position> _confirmedReads; // of the state before what is not confirmed
    private readonly EpochTable _epochs;
    private readonly OpenSnapshots _snapshots = new();
    private readonly RunningSnapshots _sending;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _ending = new(); // interactive transactions go no further

    internal PrimaryGrain(PrimaryContext context, DatabaseId database, PrimaryFile file, Leadership leadership, ReplicatedLog log, LogState state)
    {
        _leadership = leadership;
        _context = context;
        _database = database;
        _file = file;
        _log = log;
        _epochs = state.Epochs;
        EncodedEpochs = new byte[EpochTableFormat.SizeOf(_epochs)];
        EpochTableFormat.Write(EncodedEpochs, _epochs);
        _trimmer = new LogTrimmer(TrimmablePosition, log.Trim);
        _sending = new RunningSnapshots(context.Options.SnapshotPatience, context.Time);
        _writer = new DatabaseWriter(context, file, log, state, _commit, _trimmer, _sending);
        _reads = new ReadRunner<Position>(file.Readers, context.Readers, _known, new SnapshotSource(_commit, log), context.Time);
        _confirmedReads = new ReadRunner<Position>(file.Readers, context.Readers, _known, new ConfirmedSource(_commit, log, file.States), context.Time);
        _uploader = context.Cold?.Open(new PrimaryUploadSource(context, file, log, _epochs), isLeader: true);
        if (_uploader is not null)
        {
            log.MoreConfirmed += _uploader.Confirm;
            _uploader.Confirm(log.Confirmed);
        }

        log.Failed += OnFailed;
        log.RefusalChanged += OnRefusalChanged;
        OnRefusalChanged();
    }

    /// <inheritdoc/>
    public bool HasFailed => _log.Failure is not null;

    /// <inheritdoc/>
    public CopyStatus Status
    {
        get
        {
            var (bytes, entries) = _log.Unconfirmed;
            return new(IsPrimary: true, _log.Confirmed, ConfirmLagMs: 0, _file.SizeBytes)
            {
                WalBytes = _file.WalSizeBytes, UnconfirmedBytes = bytes, UnconfirmedEntries = entries,
            };
        }
    }

    /// <summary>This leadership.</summary>
    internal uint Epoch => _epochs.CurrentEpoch;

    /// <summary>The table of epochs up to this one, as it travels.</summary>
    internal byte[] EncodedEpochs { get; }

    /// <summary>Whether this node has what a leadership can begin with: the log from its beginning, or a copy of what is no longer in it. Without, somebody else should lead.</summary>
    public static bool CanBegin(PrimaryContext context, DatabaseId database)
    {
        ArgumentNullException.ThrowIfNull(context);
        var first = context.OwnFollower.LogOf(database).First;
        return first == Position.Start || BaseOf(context, database) >= first;
    }

    /// <summary>What the main file of this node's copy holds, synced; <see langword="null"/> if there is none that can be trusted.</summary>
    public static Position? BaseOf(PrimaryContext context, DatabaseId database)
    {
        ArgumentNullException.ThrowIfNull(context);
        return LocalRecovery.BaseOf(context.FileOf(database), database);
    }

    /// <summary>Becomes primary: recovers the file, wins an epoch, and confirms the entry that opens it.</summary>
    /// <exception cref="RequestException">It cannot, and why.</exception>
    public static async Task<IDatabaseCopy> ActivateAsync(PrimaryContext context, DatabaseId database, CancellationToken cancellationToken) =>
        await new PrimaryActivation(context, database).RunAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task<ExecuteResponse> ExecuteAsync(ExecuteRequest request, ReadConstraint constraint, CancellationToken cancellationToken)
    {
        var waitMs = await ReachAsync(constraint);
        var keyed = request.IdempotencyKey.Length == 0 || !constraint.Caller.MayWrite // who cannot write has no write to find again
            ? null
            : new KeyedRequest(request.IdempotencyKey, RequestHash.Of(request), _writer.KeyCutoff, static outcome => StoredResult.Of(outcome.Results));
        var sql = SqlRequests.From(request, cancellationToken, keyed, constraint.Query);
        if (!IsKnownToWrite(request.Statements))
        {
            var proof = ProveAsync(constraint); // on its way while SQLite reads
            var outcome = await _reads.ExecuteAsync(sql);
            constraint.Query?.Stage = RequestStage.WaitingForQuorum;
            await proof;
            if (IsFinal(outcome.Kind, keyed))
            {
                if (!await _log.PassAsync(outcome.Mark))
                {
                    outcome = MayBeOlder(constraint) ? await _confirmedReads.ExecuteAsync(sql) : throw LostWrite.ExplainRead(_log);
                    await PassOlderAsync(outcome.Kind, outcome.Mark);
                }

                return Answer(outcome, waitMs);
            }
        }

        var answer = await WriteAsync(sql, keyed, constraint.Caller);
        var response = new ExecuteResponse { Bookmark = answer.Bookmark, Served = Served(waitMs, answer.QueueMs), Replayed = answer.Outcome.AnsweredBefore };
        response.Results.AddRange(answer.Outcome.AnsweredBefore ? StoredResult.Results(keyed!.Found!.Result) : answer.Outcome.Results);
        return response;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<EncodedResponse> StreamAsync(
        StreamRequest request, ReadConstraint constraint, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var waitMs = await ReachAsync(constraint);
        var keyed = request.IdempotencyKey.Length == 0 || !constraint.Caller.MayWrite // who cannot write has no write to find again
            ? null
            : new KeyedRequest(request.IdempotencyKey, RequestHash.Of(request), _writer.KeyCutoff, static outcome => StoredResult.Of(outcome.Parts));
        var sql = SqlRequests.From(request, cancellationToken, keyed, constraint.Query);
        await using var newest = IsKnownToWrite(request.Statements) ? null : await _reads.OpenAsync(sql);
        if (newest is null || !IsFinal(newest.Kind, keyed))
        {
            var answer = await WriteAsync(sql, keyed, constraint.Caller);
            var replayed = answer.Outcome.AnsweredBefore;
            foreach (var part in replayed ? StoredResult.Parts(keyed!.Found!.Result) : answer.Outcome.Parts)
            {
                part.Header?.Bookmark = answer.Bookmark; // confirmed: a client that leaves before the last message has seen it. What is kept for the key was encoded before
                yield return new EncodedResponse { Result = EncodedParts.From(part) };
            }

            yield return new EncodedResponse { Done = new Done { Bookmark = answer.Bookmark, Served = Served(waitMs, answer.QueueMs), Replayed = replayed } };
            yield break;
        }

        constraint.Query?.Stage = RequestStage.WaitingForQuorum;
        await ProveAsync(constraint);
        var read = newest;
        if (!await _log.PassAsync(newest.Mark))
        {
            await newest.DisposeAsync();
            read = MayBeOlder(constraint) ? await _confirmedReads.OpenAsync(sql) : throw LostWrite.ExplainRead(_log);
        }

        await using var older = read;
        await PassOlderAsync(read.Kind, read.Mark);
        constraint.Query?.Stage = RequestStage.Running;
        var bookmark = read.Mark.ToBookmark(_database).ToString();
        if (read.Error is { } error)
        {
            error.Error.Bookmark = bookmark;
            throw error;
        }

        await foreach (var part in StreamedParts.ReadAsync(read, bookmark))
        {
            yield return part;
        }

        yield return new EncodedResponse { Done = new Done { Bookmark = bookmark, Served = Served(waitMs, read.QueueMs) } };
    }

    /// <summary>Ends the subscriptions and the interactive transactions.</summary>
    public void BeginStop()
    {
        _ending.Cancel();
        _stopping.Cancel();
    }

    /// <summary>Gives the leadership up for another node: no write begins any more, everything is confirmed, and nothing is proven from then on.</summary>
    /// <returns>The epoch that is over.</returns>
    /// <exception cref="RequestException">The leadership is over already, or what was written could not be confirmed.</exception>
    public async Task<uint> ResignAsync(CancellationToken cancellationToken)
    {
        using var turn = await _writer.TakeTurnAsync(cancellationToken);
        await PassAsync(turn.Position);
        _log.Failed -= OnFailed; // wanted
        _leadership.Resign();
        Abort();
        return Epoch;
    }

    /// <summary>Ends the leadership at once: what is held fails, reads under way end.</summary>
    public void Abort()
    {
        _log.Failed -= OnFailed; // this is no failure that an operator should look at
        var moved = new RequestException(ErrorCodes.NoPrimary, "The primary moved. Nothing was done; try again.");
        _log.Close(moved);
        _writer.Refuse(moved);
        _file.Readers.Abort();
    }

    /// <summary>Refuses new work, lets what has begun end, checkpoints, and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _stopping.CancelAsync(); // the subscriptions end
        try
        {
            await _writer.DisposeAsync();
            await EndUploadsAsync();
            _log.Failed -= OnFailed;
            await LetGoAsync();
        }
        finally
        {
            // Whatever happened: the copy's next role must find nothing open on the file.
            _log.Close(new ObjectDisposedException(nameof(PrimaryGrain)));
            _log.Dispose();
            await EndUploadsAsync();
            await _snapshots.CloseAsync();
            await _file.DisposeAsync();
        }
    }

    /// <summary>Where a bookmark lies. Only the primary can say that it does not exist yet, and only while it can prove that it is the primary.</summary>
    internal async Task<LocateBookmarkResponse> LocateAsync(Bookmark bookmark)
    {
        if (IsAbove(bookmark, _log.Appended))
        {
            await ProveAsync();
        }

        return Locate(bookmark);
    }

    /// <summary>The same, as far as this primary knows.</summary>
    internal LocateBookmarkResponse Locate(Bookmark bookmark)
    {
        var confirmed = _log.Confirmed;
        var place = _epochs.IsAbandoned(bookmark, confirmed.Epoch) ? BookmarkPlace.Abandoned
            : IsAbove(bookmark, _log.Appended) ? BookmarkPlace.Future
            : BookmarkPlace.OnTimeline;
        return new LocateBookmarkResponse { Place = place, Confirmed = confirmed.ToBookmark(_database).ToString() };
    }

    /// <summary>Whether a position lies on this log, near enough to go on from.</summary>
    internal async Task<bool> HoldsAsync(Position position) =>
        position == _log.Confirmed || await _context.Readers.RunAsync(() => _context.OwnFollower.LogOf(_database) is var log && position <= log.Last && log.Holds(position));

    /// <summary>Serves one replica until one of the two goes.</summary>
    internal async Task ServeAsync(
        SubscribeRequest.Types.Hello hello, IAsyncEnumerator<SubscribeRequest> reports, IResponseWriter<SubscribeResponse> responses, CancellationTokenSource ending)
    {
        await using var stopping = _stopping.Token.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), ending);
        try
        {
            await new Subscription(this, _context, _log, hello, responses).RunAsync(reports, ending);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            throw new RequestException(ErrorCodes.NoPrimary, "The primary is going away. Subscribe again.");
        }
    }

    /// <summary>Streams an image of the database. It leaves only when the state that it shows is confirmed.</summary>
    /// <returns>The state's position.</returns>
    /// <exception cref="RequestException">It took so long that the WAL had grown much too long.</exception>
    internal async Task<Position> SendSnapshotAsync(string nodeId, IResponseWriter<SubscribeResponse> responses, CancellationToken cancellationToken)
    {
        using var use = _snapshots.Enter();
        using var running = _sending.Begin(nodeId, cancellationToken);
        var (snapshot, position, commitTime) = await _context.Readers.RunAsync(() =>
        {
            lock (_commit)
            {
                return (SnapshotReader.Open(_file.Path), _log.Appended, _writer.CommitTimeMicroseconds);
            }
        });
        await using var sender = new SnapshotSender(snapshot, position, commitTime, _context.Readers, _context.Time);
        try
        {
            await PassAsync(position);
            await sender.SendAsync((part, cancellation) => responses.WriteAsync(new SubscribeResponse { Snapshot = part }, cancellation), running.Token);
            running.IsComplete = true;
            return position;
        }
        catch (OperationCanceledException) when (running.WasEnded && !cancellationToken.IsCancellationRequested)
        {
            var reason = running.Reason;
            PrimaryLog.SnapshotEnded(_context.Logger, nodeId, _database, reason.Message);
            throw reason;
        }
    }

    // The primary has everything that any bookmark of this database can name, confirmed or about to be.
    private async ValueTask<double> ReachAsync(ReadConstraint constraint)
    {
        if (constraint.Kind != ReadConstraintKind.AtLeast || constraint.Bookmark == Bookmark.Start)
        {
            return 0;
        }

        var bookmark = constraint.Bookmark;
        var confirmed = _log.Confirmed;
        if (_epochs.IsAbandoned(bookmark, confirmed.Epoch))
        {
            throw BookmarkErrors.Abandoned(bookmark, confirmed.ToBookmark(_database).ToString());
        }

        if (!IsAbove(bookmark, confirmed))
        {
            return 0;
        }

        var appended = _log.Appended;
        if (IsAbove(bookmark, appended))
        {
            await ProveAsync();
            throw BookmarkErrors.Future(bookmark, confirmed.ToBookmark(_database).ToString());
        }

        var started = _context.Time.GetTimestamp();
        await PassAsync(appended);
        return _context.Time.GetElapsedTime(started).TotalMilliseconds;
    }

    private ExecuteResponse Answer(ReadOutcome<Position> outcome, double waitMs)
    {
        var bookmark = outcome.Mark.ToBookmark(_database).ToString();
        if (outcome.Error is { } error)
        {
            error.Error.Bookmark = bookmark;
            throw error;
        }

        var response = new ExecuteResponse { Bookmark = bookmark, Served = Served(waitMs, outcome.QueueMs) };
        response.Results.AddRange(outcome.Results);
        return response;
    }

    // Followers are missed, and what was read last is not confirmed. A reader who may be served by a replica gets what one would show: the last confirmed state.
    private bool MayBeOlder(in ReadConstraint constraint) => !constraint.WantsPrimary && constraint.MaxStaleness is null && _log.Failure is null;

    // In the older state the same text might write.
    private ValueTask PassOlderAsync(ReadOutcomeKind kind, Position position) => kind == ReadOutcomeKind.Writes ? throw LostWrite.ExplainRead(_log) : PassAsync(position);

    private async ValueTask PassAsync(Position position)
    {
        if (!await _log.PassAsync(position))
        {
            throw LostWrite.ExplainRead(_log);
        }
    }

    // Whoever asks the primary must not be answered by one that has been replaced and does not know it yet.
    private ValueTask ProveAsync(in ReadConstraint constraint) => constraint.WantsPrimary ? ProveAsync() : ValueTask.CompletedTask;

    private async ValueTask ProveAsync()
    {
        if (!await _log.ProveAsync())
        {
            throw _log.Failure is null
                ? new RequestException(
                    ErrorCodes.QuorumUnavailable,
                    $"This primary cannot make sure that it is still the primary: {_leadership.DescribeMissing()} Nothing was done; try again, or read with \"first-unconstrained\".")
                : LostWrite.ExplainRead(_log);
        }
    }

    // A log that a quorum has in full copies on disk can do without what they hold. What is not in cold storage yet stays, where there is one: it would be missing there for ever.
    private Position TrimmablePosition(Position own)
    {
        var common = _leadership.Sets is { } known ? _bases.Common(own, known.Sets.Current, _context) : Position.Start;
        return _uploader is null ? common : _uploader.MayTrimTo(common);
    }

    /// <summary>A replica says how much its main file holds, synced.</summary>
    internal void NoteCopy(string nodeId, Position checkpointed)
    {
        if (_bases.Note(nodeId, checkpointed))
        {
            _trimmer.Look();
        }
    }

    // An idle grain leaves its promise with the node. One that could not confirm everything, or lost its leadership, leaves nothing.
    private async ValueTask LetGoAsync()
    {
        var (appended, confirmed) = _leadership.Positions;
        if (_context.Stopping.IsCancellationRequested)
        {
            _leadership.Resign(); // others need not wait for what was promised to this one
        }

        var released = _log.Failure is null && appended == confirmed && !_context.Stopping.IsCancellationRequested;
        await _leadership.EndAsync(released);
        if (released)
        {
            _context.Released.Keep(_database, _leadership.Promise, confirmed);
        }
    }

    // Calls may overtake each other: whoever comes last finds what is so now.
    private void OnRefusalChanged()
    {
        lock (_refusal)
        {
            _writer.Suspend(_log.Refusal is { } missing
                ? new RequestException(ErrorCodes.QuorumUnavailable, $"Too few followers have this database's log within reach: {missing} Nothing was done; try again.")
                : null);
        }
    }

    // With a key an error may have come from what the first call has done, e.g. created the table: only the writer looks for the key.
    private static bool IsFinal(ReadOutcomeKind kind, KeyedRequest? keyed) =>
        kind == ReadOutcomeKind.Rows || (kind == ReadOutcomeKind.Failed && keyed is null);

    private async Task<WriteAnswer> WriteAsync(SqlRequest sql, KeyedRequest? keyed, Caller caller)
    {
        if (!caller.MayWrite)
        {
            throw await RefuseWriteAsync(caller);
        }

        if (keyed is not null && sql.IsVacuum)
        {
            throw KeyErrors.Vacuum();
        }

        sql.Progress?.Stage = RequestStage.Queued;
        var answer = await _writer.WriteAsync(sql);
        if (!answer.IsProven)
        {
            await ProveAsync(); // an error, or a count of nothing, is as old as the leadership: no entry was confirmed behind it
        }

        if (answer.Outcome.Error is RequestException error)
        {
            error.Error.Bookmark = answer.Bookmark;
            throw error;
        }

        return answer;
    }

    // That the SQL writes was learned from a schema that may not be confirmed yet.
    private async Task<RequestException> RefuseWriteAsync(Caller caller)
    {
        Position seen;
        lock (_commit) // a commit that the text was prepared behind has its position
        {
            seen = _log.Appended;
        }

        await PassAsync(seen);
        var refusal = caller.WriteRefused();
        refusal.Error.Bookmark = seen.ToBookmark(_database).ToString();
        return refusal;
    }

    private bool IsKnownToWrite(IEnumerable<Statement> statements)
    {
        foreach (var statement in statements)
        {
            if (_known.Contains(statement.Sql))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsAbove(Bookmark bookmark, Position position) =>
        (bookmark.Epoch, bookmark.Sequence).CompareTo((position.Epoch, position.Sequence)) > 0;

    private Served Served(double waitMs, double queueMs) => new()
    {
        By = _context.Self.Id, Region = _context.Self.Region, Primary = true, WaitMs = waitMs, QueueMs = queueMs, LagMs = 0, TotalAttempts = 1,
    };

    private void OnFailed(Exception reason)
    {
        if (reason is not RequestException { Error.Code: ErrorCodes.NoPrimary }) // a leadership that passed to another node was told already, and is no failure
        {
            PrimaryLog.Stopped(_context.Logger, _database, reason);
        }

        _writer.Refuse(new RequestException(ErrorCodes.NoPrimary, "The primary stopped. Nothing was done; try again."));
        _ = _ending.CancelAsync();
    }
}
