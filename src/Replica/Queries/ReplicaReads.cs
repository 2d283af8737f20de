using System.Runtime.CompilerServices;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Replica;

/// <summary>Answers queries from the copy where the session allows it, and passes on what only the primary may answer.</summary>
/// <remarks>Safe for use by any thread. First the bookmark is waited for and then the SQL is prepared: its table may have come with that very write.</remarks>
internal sealed partial class ReplicaReads(
    ReplicaContext context, DatabaseId database, ReplicaCopy copy, ReplicaFeed feed, BookmarkWaiters waiters, BookmarkInquiry inquiry)
{
    private static readonly TimeSpan _shortestWait = TimeSpan.FromMilliseconds(50);

    public async Task<ExecuteResponse> ExecuteAsync(ExecuteRequest request, ReadConstraint constraint, CancellationToken cancellationToken)
    {
        var started = context.Time.GetTimestamp();
        if (copy.IsKnownToWrite(request.Statements) || !await MayAnswerAsync(constraint, cancellationToken))
        {
            return await PassOnAsync(request, readsOnly: false, constraint, cancellationToken);
        }

        var waitMs = context.Time.GetElapsedTime(started).TotalMilliseconds;
        if (copy.Reads is not { } runner)
        {
            return await PassOnAsync(request, readsOnly: false, constraint, cancellationToken);
        }

        var outcome = await runner.ExecuteAsync(SqlRequests.From(request, cancellationToken, progress: constraint.Query));
        if (outcome.Kind == ReadOutcomeKind.Writes || (outcome.Kind == ReadOutcomeKind.Failed && request.IdempotencyKey.Length > 0))
        {
            // With a key an error may have come from what the first call has done, e.g. created the table: only the primary looks for the key.
            return await PassOnAsync(request, readsOnly: false, constraint, cancellationToken);
        }

        if (outcome.Mark is not { } mark)
        {
            return await PassOnAsync(request, readsOnly: true, constraint, cancellationToken); // the copy was just taken away
        }

        if (outcome.Error is { } error)
        {
            if (copy.ReportIfDamaged(error.Error))
            {
                return await PassOnAsync(request, readsOnly: true, constraint, cancellationToken);
            }

            error.Error.Bookmark = mark.Text;
            throw error;
        }

        var response = new ExecuteResponse { Bookmark = mark.Text, Served = Served(waitMs, outcome.QueueMs) };
        response.Results.AddRange(outcome.Results);
        return response;
    }

    public async IAsyncEnumerable<EncodedResponse> StreamAsync(
        StreamRequest request, ReadConstraint constraint, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var started = context.Time.GetTimestamp();
        var mayAnswer = !copy.IsKnownToWrite(request.Statements) && await MayAnswerAsync(constraint, cancellationToken);
        var waitMs = context.Time.GetElapsedTime(started).TotalMilliseconds;
        await using var read = mayAnswer && copy.Reads is { } runner
            ? await runner.OpenAsync(SqlRequests.From(request, cancellationToken, progress: constraint.Query))
            : null;
        if (read is null
            || read.Kind == ReadOutcomeKind.Writes
            || (read.Kind == ReadOutcomeKind.Failed && request.IdempotencyKey.Length > 0)
            || read.Mark is not { } mark
            || (read.Error is { } failure && copy.ReportIfDamaged(failure.Error)))
        {
            if (read is not null)
            {
                await read.DisposeAsync(); // the primary's answer may take long; the connection is free meanwhile
            }

            CheckMayPassOn(constraint);
            await foreach (var part in context.Forwarder.StreamAsync(database, request, constraint.Caller, readsOnly: false, constraint.Query, cancellationToken))
            {
                yield return part;
            }

            yield break;
        }

        if (read.Error is { } error)
        {
            error.Error.Bookmark = mark.Text;
            throw error;
        }

        await foreach (var part in NoticeDamageAsync(StreamedParts.ReadAsync(read, mark.Text)))
        {
            yield return part;
        }

        yield return new EncodedResponse { Done = new Done { Bookmark = mark.Text, Served = Served(waitMs, read.QueueMs) } };
    }

    private Task<ExecuteResponse> PassOnAsync(ExecuteRequest request, bool readsOnly, ReadConstraint constraint, CancellationToken cancellationToken)
    {
        CheckMayPassOn(constraint);
        return context.Forwarder.ExecuteAsync(database, request, constraint.Caller, readsOnly, constraint.Query, cancellationToken);
    }

    // One hop only: the node that asked this replica goes to the primary itself.
    private void CheckMayPassOn(ReadConstraint constraint)
    {
        if (constraint.IsPassedOn)
        {
            throw Forwarding.NotHere(database);
        }
    }

    private async IAsyncEnumerable<EncodedResponse> NoticeDamageAsync(IAsyncEnumerable<EncodedResponse> parts)
    {
        await using var rest = parts.GetAsyncEnumerator(CancellationToken.None);
        while (true)
        {
            try
            {
                if (!await rest.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (RequestException e)
            {
                copy.ReportIfDamaged(e.Error); // some rows have left already, so that the primary cannot take over here
                throw;
            }

            yield return rest.Current;
        }
    }

    /// <summary>Waits until this copy may answer a session.</summary>
    /// <returns><see langword="false"/>: the primary is to answer.</returns>
    private async ValueTask<bool> MayAnswerAsync(ReadConstraint constraint, CancellationToken cancellationToken)
    {
        if (constraint.WantsPrimary)
        {
            return false;
        }

        // A copy that shows nothing yet is waited for as for a bookmark before everything.
        var target = constraint.Kind == ReadConstraintKind.AtLeast ? constraint.Bookmark : Bookmark.Start;
        var result = waiters.Judge(target) ?? await ParkAsync(target, constraint, cancellationToken);
        switch (result)
        {
            case WaitResult.Reached:
                break;
            case WaitResult.Abandoned:
                throw BookmarkErrors.Abandoned(constraint.Bookmark, copy.Mark?.Text);
            case WaitResult.TimedOut when constraint.FailOnTimeout:
                throw TimedOut(constraint);
            default:
                return false;
        }

        return constraint.MaxStaleness is not { } limit || feed.Staleness <= limit;
    }

    private async ValueTask<WaitResult> ParkAsync(Bookmark target, ReadConstraint constraint, CancellationToken cancellationToken)
    {
        var metrics = context.Metrics;
        var started = context.Time.GetTimestamp();
        metrics.HeldReads.Add(1);
        constraint.Query?.Stage = RequestStage.WaitingForBookmark;
        try
        {
            var result = await WaitAsync(target, constraint, cancellationToken);
            if (result == WaitResult.TimedOut)
            {
                metrics.BookmarkTimeouts.Add(1);
            }

            return result;
        }
        finally
        {
            constraint.Query?.Stage = RequestStage.Queued;
            metrics.HeldReads.Add(-1);
            metrics.BookmarkWait.Record(context.Time.GetElapsedTime(started).TotalSeconds);
        }
    }

    // A copy that hears nothing of its primary is not waited for longer than a moment: the primary itself may be reached, or another one.
    private async ValueTask<WaitResult> WaitAsync(Bookmark target, ReadConstraint constraint, CancellationToken cancellationToken)
    {
        var left = constraint.WaitTimeout;
        while (true)
        {
            var untilStale = context.Options.StaleAfter - feed.Silence;
            var wait = constraint.FailOnTimeout || untilStale > left ? left : untilStale > _shortestWait ? untilStale : _shortestWait;
            var result = await inquiry.WaitAsync(waiters, target, wait < left ? wait : left, cancellationToken);
            left -= wait;
            if (result != WaitResult.TimedOut || left <= TimeSpan.Zero || feed.Silence >= context.Options.StaleAfter)
            {
                return result;
            }
        }
    }

    private Served Served(double waitMs, double queueMs) => new()
    {
        By = context.Self.Id,
        Region = context.Self.Region,
        Primary = false,
        WaitMs = waitMs,
        QueueMs = queueMs,
        LagMs = feed.Staleness?.TotalMilliseconds ?? 0,
        TotalAttempts = 1,
    };

    private RequestException TimedOut(ReadConstraint constraint)
    {
        var failure = new RequestException(
            ErrorCodes.BookmarkTimeout,
            $"This replica is at {copy.Mark?.Text ?? "no state yet"} and did not reach {constraint.Bookmark} within {constraint.WaitTimeout.TotalMilliseconds:F0} ms. " +
            "Retry, wait longer, or let the primary answer.");
        failure.Error.Bookmark = copy.Mark?.Text ?? "";
        return failure;
    }
}
