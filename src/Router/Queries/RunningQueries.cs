using System.Text;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Router;

/// <summary>The requests under way at one node: admitted, listed, measured, and told of when they were slow. Safe for use by any thread.</summary>
public sealed class RunningQueries
{
    private readonly RouterContext _context;
    private readonly Admission _admission;

    // Each request is entered and taken out again, so those that one processor takes stand together, beside the others' and under a lock of their own.
    private readonly Shelf[] _shelves = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(static _ => new Shelf())];

    /// <param name="context">The node.</param>
    public RunningQueries(RouterContext context)
    {
        _context = context;
        _admission = new Admission(context.Options.MaxQueries);
    }

    /// <summary>Those under way now, the oldest first.</summary>
    public IReadOnlyList<RunningQuery> Snapshot() => [.. All().OrderBy(static query => query.StartedAt)];

    /// <summary>How many there are.</summary>
    public int InFlight => _admission.InFlight;

    /// <summary>Lets a request in. Whoever gets it calls <see cref="End"/>.</summary>
    /// <exception cref="RequestException">There are too many.</exception>
    internal RunningQuery Begin(string method, IReadOnlyList<Statement> statements, ServerCallContext call)
    {
        try
        {
            _admission.Enter();
        }
        catch (RequestException refused)
        {
            _context.Metrics.Answered(method, "none", refused.Error.Code, database: null, seconds: 0);
            throw;
        }

        call.AllowEnd();
        var passedOnAs = call.TryGetRequestHeader(Forwarding.Header, out _) && call.TryGetRequestHeader(Forwarding.QueryHeader, out var id) ? id : null; // clients give no ids
        var at = Thread.GetCurrentProcessorId() % _shelves.Length;
        var shelf = _shelves[at];
        lock (shelf.Gate)
        {
            var query = new RunningQuery(_context.Self.Id, (shelf.LastNumber++ * _shelves.Length) + at, passedOnAs, method, statements, _context.Time, call.End);
            shelf.Running.Add(query);
            return query;
        }
    }

    /// <summary>A request is answered well.</summary>
    /// <param name="query">Which.</param>
    /// <param name="served">By whom; <see langword="null"/> where the contract does not tell.</param>
    /// <param name="work">What it did.</param>
    /// <param name="duration">How long that took; unset: the time since it came.</param>
    internal void Answered(RunningQuery query, Served? served, QueryWork work, TimeSpan? duration = null)
    {
        var isForwarded = query.Stage == RequestStage.Forwarded || (served is not null && served.By != _context.Self.Id);
        Measure(query, isForwarded ? "forwarded" : query.Copy, "OK", duration ?? query.Age, served, work);
    }

    /// <summary>Takes note of a failure. For an exception's filter, so that nothing is caught for it.</summary>
    /// <returns>Always <see langword="false"/>.</returns>
    internal bool Failed(RunningQuery query, Exception failure, ServerCallContext call)
    {
        if (failure is RequestException refused)
        {
            _context.Access.Tell(refused, call, $"{QueryMethods.Service}/{query.Method}");
        }

        Measure(query, query.Stage == RequestStage.Forwarded ? "forwarded" : query.Copy, CodeOf(call.EndReason is { } ended && failure is OperationCanceledException ? ended : failure), query.Age, null, default);
        return false;
    }

    /// <summary>A step of an interactive transaction that is carried out here has ended.</summary>
    internal void StepEnded(RunningQuery query, QueryWork work, string code) => TellIfSlow(query, query.StepAge, null, work, code, query.StepAge);

    /// <summary>A request is over.</summary>
    internal void End(RunningQuery query)
    {
        query.Over();
        var shelf = _shelves[query.Number % _shelves.Length];
        lock (shelf.Gate)
        {
            shelf.Running.Remove(query);
        }

        _admission.Leave();
    }

    /// <summary>Ends a request from outside, if it is carried out here and can be.</summary>
    /// <returns>What came of it; <see langword="null"/> if it is not known here.</returns>
    internal KillQueryResponse? Kill(string id)
    {
        if (All().Find(query => query.Id == id) is not { } query)
        {
            return null;
        }

        var reason = new RequestException(ErrorCodes.QueryKilled, $"An operator has ended this request ({id}). Nothing was done, or what was done is rolled back.");
        if (query.Kill(reason, out var stage) is not { } isEnded)
        {
            return null;
        }

        if (!isEnded)
        {
            return new KillQueryResponse
            {
                Reason = stage == RequestStage.Forwarded ? "Another node carries it out, or did and was lost." : "It has run already and waits for its quorum: what is committed stays.",
            };
        }

        _context.Metrics.CountKilled();
        QueryLog.Killed(_context.Logger, id, query.Method, query.Database, stage.ToString(), query.Age.TotalMilliseconds, TextOf(query));
        return new KillQueryResponse { Interrupted = true };
    }

    /// <summary>The SQL of a request without its values.</summary>
    internal static string TextOf(RunningQuery query)
    {
        var text = new StringBuilder();
        var statements = query.Statements;
        for (var i = 0; i < statements.Count && text.Length < SqlNormalizer.MaxBytes; i++)
        {
            if (statements[i].Sql.Length > 0)
            {
                text.Append(text.Length > 0 ? " " : "").Append(SqlNormalizer.Normalize(statements[i].Sql));
            }
        }

        return SqlNormalizer.Cut(text.ToString());
    }

    private void Measure(RunningQuery query, string copy, string code, TimeSpan duration, Served? served, QueryWork work)
    {
        _context.Metrics.Answered(query.Method, copy, code, query.Database.Length > 0 ? query.Database : null, query.Age.TotalSeconds);
        if (copy != "forwarded" && query.Method != "Transact") // the other node tells; a transaction's time is its client's, so its steps are looked at
        {
            TellIfSlow(query, duration, served, work, code, query.Age);
        }
    }

    private void TellIfSlow(RunningQuery query, TimeSpan duration, Served? served, QueryWork work, string code, TimeSpan whole)
    {
        if (_context.Options.SlowStatement is not { } threshold || duration < threshold)
        {
            return;
        }

        _context.Metrics.CountSlow();
        QueryLog.Slow(
            _context.Logger, query.Method, query.Database, whole.TotalMilliseconds, work.SqlMs, served?.QueueMs ?? 0, served?.WaitMs ?? 0, work.RowsRead, work.RowsWritten, code, TextOf(query));
    }

    private List<RunningQuery> All()
    {
        var all = new List<RunningQuery>();
        foreach (var shelf in _shelves)
        {
            lock (shelf.Gate)
            {
                all.AddRange(shelf.Running);
            }
        }

        return all;
    }

    private static string CodeOf(Exception failure) => failure switch
    {
        RequestException refused => refused.Error.Code,
        RpcException status => status.FindDetail<SqlError>()?.Code ?? status.StatusCode.ToString(),
        OperationCanceledException => "CANCELLED",
        _ => ErrorCodes.Internal,
    };

    private sealed class Shelf
    {
        public Lock Gate { get; } = new();

        public HashSet<RunningQuery> Running { get; } = []; // under the lock; as many as admission lets in

        public long LastNumber { get; set; } // under the lock
    }
}
