using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Replica;

/// <content>Interactive transactions that only read, and descriptions; what writes goes to the primary.</content>
internal sealed partial class ReplicaReads
{
    public async Task TransactAsync(
        TransactRequest.Types.Begin begin, TransactCall call, ReadConstraint constraint, CancellationToken stopping, CancellationToken cancellationToken)
    {
        var started = context.Time.GetTimestamp();
        var isHere = begin.ReadOnly && await MayAnswerAsync(constraint, cancellationToken);
        if (!isHere || copy.Reads is not { } runner)
        {
            await context.Forwarder.TransactAsync(database, begin, call, constraint.Caller, call.Query, cancellationToken);
            return;
        }

        var waitMs = context.Time.GetElapsedTime(started).TotalMilliseconds;
        await using var lease = new TransactionLease(begin, context.Options.Transactions, context.Time, stopping, cancellationToken);
        await TransactionLoop.RunAsync(
            call,
            lease,
            async lease =>
            {
                var reads = await runner.HoldAsync(lease.Token);
                if (reads.Mark is not { } mark)
                {
                    await reads.DisposeAsync();
                    throw new RequestException(ErrorCodes.CopyStale, "This copy is just being built again. Nothing was done; begin again.");
                }

                lease.Start(reads.InTheWay);
                return new SnapshotTransaction<VisibleMark?>(reads, mark.Text, Served(waitMs, reads.QueueMs));
            },
            cancellationToken);
    }

    public Task<GetOutcomeResponse> GetOutcomeAsync(GetOutcomeRequest request, Caller caller, CancellationToken cancellationToken) =>
        context.Forwarder.GetOutcomeAsync(database, request, caller, query: null, cancellationToken);

    public async Task<DescribeResponse> DescribeAsync(DescribeRequest request, ReadConstraint constraint, CancellationToken cancellationToken)
    {
        if (!await MayAnswerAsync(constraint, cancellationToken) || copy.Reads is not { } runner)
        {
            return await context.Forwarder.DescribeAsync(database, request, constraint.Caller, constraint.Query, cancellationToken);
        }

        var (description, error, mark) = await runner.DescribeAsync(request.Sql, cancellationToken);
        if (mark is null)
        {
            return await context.Forwarder.DescribeAsync(database, request, constraint.Caller, constraint.Query, cancellationToken); // the copy was just taken away
        }

        if (error is not null)
        {
            error.Error.Bookmark = mark.Text;
            throw error;
        }

        return description!;
    }
}
