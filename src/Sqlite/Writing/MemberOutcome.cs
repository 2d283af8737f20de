using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>What became of one request in a group.</summary>
/// <param name="request">The request.</param>
public sealed class MemberOutcome(SqlRequest request)
{
    /// <summary>The request.</summary>
    public SqlRequest Request { get; } = request;

    /// <summary>One result a statement; empty if the request asked for parts, or failed.</summary>
    public IReadOnlyList<Result> Results { get; internal set; } = [];

    /// <summary>The results as parts of a stream, if the request asked for them.</summary>
    public IReadOnlyList<ResultPart> Parts { get; internal set; } = [];

    /// <summary>
    /// Why nothing of it was done: a <see cref="RequestException"/>, or an <see cref="OperationCanceledException"/> when its caller gave up.
    /// </summary>
    public Exception? Error { get; internal set; }

    /// <summary>A statement of it writes, and it stays if the group commits. It may have changed no row.</summary>
    public bool Wrote { get; internal set; }

    /// <summary><see cref="IMemberSteps.Before"/> answered it; its statements did not run.</summary>
    public bool AnsweredBefore { get; internal set; }

    /// <summary>The parts up to the last statement that has ended; kept while the rest still runs.</summary>
    internal IReadOnlyList<ResultPart> CompleteParts => UnfinishedParts is { } parts ? [.. parts.Take(CompletePartCount)] : [];

    internal List<ResultPart>? UnfinishedParts { get; set; }

    internal int CompletePartCount { get; set; }

    /// <summary>Bytes that the results take, about.</summary>
    internal long ResultBytes { get; set; }

    internal void Fail(Exception? error)
    {
        Error = error;
        Results = [];
        Parts = [];
        UnfinishedParts = null;
        CompletePartCount = 0;
        Wrote = false;
        AnsweredBefore = false;
        ResultBytes = 0;
    }
}
