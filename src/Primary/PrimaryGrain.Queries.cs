using System.Runtime.CompilerServices;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <content>Reads and writes: what they wait for before they begin, and before their answer goes.</content>
public sealed partial class PrimaryGrain
{
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

    private Served Served(double waitMs, double queueMs) => new()
    {
        By = _context.Self.Id, Region = _context.Self.Region, Primary = true, WaitMs = waitMs, QueueMs = queueMs, LagMs = 0, TotalAttempts = 1,
    };
}
