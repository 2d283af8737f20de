using System.Diagnostics.Metrics;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>The answers of one group of writes, held at the gate until the group's entry is confirmed.</summary>
internal sealed class GroupAnswers(ReplicatedLog log, Position position, long startedAt, TimeProvider time) : GateWaiter
{
    private readonly long _madeAt = time.GetTimestamp();
    private readonly List<(PendingWrite Write, MemberOutcome Outcome, ulong Sequence)> _answers = [];

    /// <summary>The group left an entry: its confirmation proves that this primary was the primary behind all that the members saw.</summary>
    public bool HasEntry { get; init; }

    /// <summary>Told how long the entry took to be confirmed.</summary>
    public Histogram<double>? QuorumWait { get; init; }

    /// <summary>Adds a member with its sequence in the entry.</summary>
    public void Add(PendingWrite write, MemberOutcome outcome, ulong sequence)
    {
        write.Request.Progress?.Stage = RequestStage.WaitingForQuorum;
        _answers.Add((write, outcome, sequence));
    }

    public override void Complete(bool passed)
    {
        if (passed && HasEntry)
        {
            QuorumWait?.Record(time.GetElapsedTime(_madeAt).TotalSeconds);
        }

        foreach (var (write, outcome, sequence) in _answers)
        {
            if (outcome.Error is OperationCanceledException)
            {
                write.TrySetCanceled(write.Request.Cancellation);
            }
            else if (passed)
            {
                var queued = time.GetElapsedTime(write.EnqueuedAt, startedAt).TotalMilliseconds;
                write.TrySetResult(new WriteAnswer(outcome, position.ToBookmark(log.Database, sequence).ToString(), queued, HasEntry));
            }
            else
            {
                write.TrySetException(Lost(outcome));
            }
        }
    }

    private RequestException Lost(MemberOutcome outcome)
    {
        if (!outcome.Wrote)
        {
            return LostWrite.ExplainRead(log);
        }

        return LostWrite.Explain(log);
    }
}
