using System.Globalization;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Simulation;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>One session of a database: calls one after the other, each at the node that comes to mind, with the bookmark of all before it.</summary>
internal sealed class ChaosSession(ChaosDatabase database, int nodes, int number, Random random)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(8);

    // What a fault excuses. SQLITE_FULL: a disk was filled. RESOURCE_EXHAUSTED and the others in capitals without an underscore's meaning of their own are the transport's.
    private static readonly HashSet<string> _excused =
    [
        ErrorCodes.NoPrimary, ErrorCodes.QuorumUnavailable, ErrorCodes.WriteOutcomeUnknown, ErrorCodes.CopyStale, ErrorCodes.Overloaded, ErrorCodes.BookmarkTimeout,
        ErrorCodes.TransactionExpired, ErrorCodes.StatementTimeout, "SQLITE_FULL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN",
    ];

    private readonly string _start = random.NextDouble() < 0.6 ? Session.FirstPrimary : Session.FirstUnconstrained;
    private int _node = random.Next(nodes);
    private Bookmark? _at;
    private int _turn;

    private ChaosHistory History => database.History;

    /// <summary>Makes so many calls.</summary>
    public async Task RunAsync(int calls, CancellationToken stopping)
    {
        for (var i = 0; i < calls && !stopping.IsCancellationRequested; i++)
        {
            await StepAsync();
            try
            {
                await Task.Delay(random.Next(2, 60), stopping); // a pace, so that logs stay readable; nothing waits for it
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>A keyed write through a node, tried until it is answered or the time is over.</summary>
    /// <returns>Whether it was.</returns>
    public async Task<bool> WriteThroughAsync(int node, TimeSpan patience)
    {
        var started = TimeProvider.System.GetTimestamp();
        var write = History.Begin(number, ++_turn, random.Next(1, ChaosHistory.Rows), isKeyed: true);
        while (TimeProvider.System.GetElapsedTime(started) < patience)
        {
            if (await TryAsync(write, Statements(write), node) == Outcome.Answered)
            {
                return true;
            }

            await Task.Delay(50);
        }

        return false;
    }

    private async Task StepAsync()
    {
        _turn++;
        if (random.NextDouble() < 0.4)
        {
            _node = random.Next(nodes);
        }

        switch (random.Next(20))
        {
            case < 5:
                await WriteAsync(isKeyed: true);
                break;
            case < 9:
                await WriteAsync(isKeyed: false);
                break;
            case < 11:
                await TransactAsync();
                break;
            case < 12:
                await FailAsync();
                break;
            case < 14:
                await ReadOutsideAsync();
                break;
            default:
                await ReadAsync();
                break;
        }
    }

    private Session Open(int node) => database.At(node).WithSession(_at?.ToString() ?? _start);

    private SqlStatement[] Statements(WriteOperation write) =>
    [
        new(ChaosDatabase.Append, [write.Number, write.Row, PadOf(write)]),
        new(ChaosDatabase.Set, [write.Row, write.Number]),
    ];

    // The same for every try of a write. Now and then an entry of many pages.
    private static int PadOf(WriteOperation write) => write.Number % 97 == 0 ? 90_000 : write.Number * 7919 % 400;

    private async Task WriteAsync(bool isKeyed)
    {
        var write = History.Begin(number, _turn, random.Next(1, ChaosHistory.Rows), isKeyed);
        var statements = Statements(write);
        var isSure = true; // no try so far may have done something
        for (var tries = 0; tries < (isKeyed ? 4 : 1); tries++)
        {
            var outcome = await TryAsync(write, statements, tries == 0 ? _node : random.Next(nodes));
            if (outcome == Outcome.Answered)
            {
                return;
            }

            isSure &= outcome == Outcome.NothingDone;
            if (isSure)
            {
                History.NothingDone(write);
                return;
            }
        }

        if (isKeyed)
        {
            await AskAsync(write);
        }
    }

    private async Task<Outcome> TryAsync(WriteOperation write, SqlStatement[] statements, int node)
    {
        write.Attempts++;
        try
        {
            var answer = await Open(node).BatchAsync(statements, new() { IdempotencyKey = write.Key < 0 ? null : KeyOf(write), CallTimeout = _patience });
            Saw(answer.Bookmark);
            Led(answer.Served);
            var place = answer.First.Rows.Count > 0 ? (int)answer.First.Rows[0].GetInt64(0) : 0;
            History.Answered(write, place, answer.Bookmark, isItsOwn: !answer.Replayed);
            return Outcome.Answered;
        }
        catch (Exception failure)
        {
            return Failed(failure, "a write");
        }
    }

    // What became of it? "Not committed" is final.
    private async Task AskAsync(WriteOperation write)
    {
        for (var tries = 0; tries < 3; tries++)
        {
            try
            {
                using var patience = new CancellationTokenSource(_patience);
                var (state, bookmark) = await Open(random.Next(nodes)).GetOutcomeAsync(KeyOf(write), TimeSpan.FromMinutes(10), patience.Token);
                if (bookmark is { } seen)
                {
                    Saw(seen);
                }

                if (state == CommitState.Committed)
                {
                    History.Answered(write, 0, bookmark!.Value, isItsOwn: false);
                    return;
                }

                if (state == CommitState.NotCommitted)
                {
                    History.NothingDone(write);
                    return;
                }
            }
            catch (Exception failure)
            {
                Failed(failure, "GetOutcome");
            }
        }
    }

    // A look, then a write in the same transaction: nothing comes between them.
    private async Task TransactAsync()
    {
        var row = random.Next(1, ChaosHistory.Rows);
        WriteOperation? write = null;
        var isCommitting = false;
        try
        {
            using var patience = new CancellationTokenSource(_patience);
            await using var transaction = await Open(_node).BeginTransactionAsync(null, patience.Token);
            Led(transaction.Served);
            Saw(transaction.Begun);
            var begun = History.Now;
            var seen = (await transaction.QueryAsync(ChaosDatabase.Look, [row], cancellationToken: patience.Token)).Rows[0];
            Look(seen, row, begun, transaction.Begun, "a transaction", isFirstPrimary: false, number, _turn);
            _turn++;
            write = History.Begin(number, _turn, row, isKeyed: false);
            var appended = await transaction.QueryAsync(ChaosDatabase.Append, [write.Number, row, 10], cancellationToken: patience.Token);
            var place = (int)appended.Rows[0].GetInt64(0);
            await transaction.ExecuteAsync(ChaosDatabase.Set, [row, write.Number], cancellationToken: patience.Token);
            if (place != seen.GetInt64(0) + 1)
            {
                History.NeverExpected($"A transaction saw place {seen.GetInt64(0)} and wrote place {place}: another write came between.");
            }

            if (random.NextDouble() < 0.15)
            {
                await transaction.RollbackAsync(patience.Token);
                History.NothingDone(write);
                return;
            }

            isCommitting = true;
            var bookmark = await transaction.CommitAsync(patience.Token);
            Saw(bookmark);
            History.Answered(write, place, bookmark, isItsOwn: true);
        }
        catch (Exception failure)
        {
            var outcome = Failed(failure, "a transaction");
            if (write is not null && write.Outcome == Outcome.Unknown && (!isCommitting || outcome == Outcome.NothingDone))
            {
                History.NothingDone(write); // without Commit nothing of it is done
            }
        }
    }

    // Its second statement breaks a constraint, so its first is undone too.
    private async Task FailAsync()
    {
        var write = History.Begin(number, _turn, 0, isKeyed: false);
        try
        {
            await Open(_node).BatchAsync(
                [new(ChaosDatabase.Append, [write.Number, 0, 10]), new(ChaosDatabase.SetTaken, [write.Number])], new() { CallTimeout = _patience });
            History.NeverExpected($"Write {write.Number} breaks a constraint and was answered.");
        }
        catch (ReplicatedSqliteException refused) when (refused.SqliteErrorCode == 19)
        {
            History.Refused(refused.Code, refused.Bookmark);
            if (refused.Bookmark is { } seen)
            {
                Saw(seen);
            }

            History.NothingDone(write);
        }
        catch (Exception failure)
        {
            if (Failed(failure, "a failing write") == Outcome.NothingDone)
            {
                History.NothingDone(write);
            }
        }
    }

    private async Task ReadAsync()
    {
        var row = random.Next(ChaosHistory.Rows);
        var isFirstPrimary = _at is null && _start == Session.FirstPrimary;
        var begun = History.Now;
        try
        {
            var answer = await Open(_node).ExecuteAsync(ChaosDatabase.Look, [row], new() { CallTimeout = _patience });
            Saw(answer.Bookmark);
            Led(answer.Served);
            Look(answer.First.Rows[0], row, begun, answer.Bookmark, answer.Served.Node, isFirstPrimary, number, _turn);
        }
        catch (Exception failure)
        {
            Failed(failure, "a read");
        }
    }

    // No session: at the primary, and nothing that was answered before may be missing.
    private async Task ReadOutsideAsync()
    {
        var row = random.Next(ChaosHistory.Rows);
        var begun = History.Now;
        try
        {
            var answer = await database.At(_node).ExecuteAsync(ChaosDatabase.Look, [row], new() { CallTimeout = _patience });
            Led(answer.Served);
            Look(answer.First.Rows[0], row, begun, answer.Bookmark, answer.Served.Node, isFirstPrimary: true, session: -number - 1, _turn);
        }
        catch (Exception failure)
        {
            Failed(failure, "a read outside a session", isInSession: false);
        }
    }

    private void Look(Row seen, int row, long begun, Bookmark bookmark, string where, bool isFirstPrimary, int session, int turn) => History.Add(
        new()
        {
            Session = session, Turn = turn, Row = row, IsFirstPrimary = isFirstPrimary, Where = where, Begun = begun, Ended = History.Now,
            LastWrite = (int)seen.GetInt64(1), RowWrite = (int)seen.GetInt64(2), At = ChaosPlace.Of((int)seen.GetInt64(0)),
        },
        bookmark);

    private Outcome Failed(Exception failure, string what, bool isInSession = true)
    {
        var asked = _node;
        _node = random.Next(nodes); // as a client with several endpoints would
        switch (failure)
        {
            case ReplicatedSqliteException refused:
                History.Refused(refused.Code, refused.Bookmark);
                if (refused.Bookmark is { } seen && isInSession)
                {
                    Saw(seen);
                }

                if (!_excused.Contains(refused.Code))
                {
                    History.NeverExpected($"{what} at node {asked}, session {number}: {refused.Code}: {refused.Message}");
                }

                return refused.CommitState == CommitState.NotCommitted ? Outcome.NothingDone : Outcome.Unknown;
            case OperationCanceledException or TimeoutException:
                History.Refused("gave up", null);
                return Outcome.Unknown;
            default:
                History.NeverExpected($"{what} at node {asked}, session {number}: {failure}");
                return Outcome.Unknown;
        }
    }

    private void Saw(Bookmark bookmark) => _at = _at is { } held && held > bookmark ? held : bookmark;

    private void Led(ServedBy served)
    {
        if (served.Primary)
        {
            History.Led(served.Node);
        }
    }

    private static string KeyOf(WriteOperation write) => write.Key.ToString("d8", CultureInfo.InvariantCulture);
}
