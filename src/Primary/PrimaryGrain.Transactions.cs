using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Primary;

/// <content>Interactive transactions, descriptions, and what became of a write.</content>
public sealed partial class PrimaryGrain
{
    /// <inheritdoc/>
    public async Task TransactAsync(TransactRequest.Types.Begin begin, TransactCall call, ReadConstraint constraint, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(begin);
        var waitMs = await ReachAsync(constraint);
        if (!begin.ReadOnly || constraint.WantsPrimary)
        {
            await ProveAsync(); // what it shows before it commits is not proven by its commit
        }

        await using var lease = new TransactionLease(begin, _context.Options.Transactions, _context.Time, _ending.Token, cancellationToken);
        await TransactionLoop.RunAsync(
            call,
            lease,
            lease => begin.ReadOnly
                ? HoldAsync(lease, constraint, waitMs)
                : WritingTransaction.BeginAsync(new WriterParts(_writer, _log, _context.Writers), begin.IdempotencyKey, lease, queueMs => Served(waitMs, queueMs)),
            cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<DescribeResponse> DescribeAsync(DescribeRequest request, ReadConstraint constraint, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        await ReachAsync(constraint);
        await ProveAsync(constraint);
        var (description, error, mark) = await _reads.DescribeAsync(request.Sql, cancellationToken);
        await PassAsync(mark);
        if (error is not null)
        {
            error.Error.Bookmark = mark.ToBookmark(_database).ToString();
            throw error;
        }

        return description!;
    }

    /// <inheritdoc/>
    public async Task<GetOutcomeResponse> GetOutcomeAsync(GetOutcomeRequest request, Caller caller, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var age = KeyAge.Of(request, _context.Time.GetUtcNow());
        CommitState state;
        Position position;
        using (var turn = await _writer.TakeTurnAsync(cancellationToken)) // the original, if it waits, goes first or never
        {
            try
            {
                (state, position) = await _context.Writers.RunAsync(() => _writer.ResolveKey(request.IdempotencyKey, age));
            }
            catch (Exception e) when (e is not RequestException)
            {
                turn.Fail(e);
                throw;
            }
        }

        await PassAsync(position);
        return new GetOutcomeResponse { State = state, Bookmark = position.ToBookmark(_database).ToString() };
    }

    private async Task<IOpenTransaction> HoldAsync(TransactionLease lease, ReadConstraint constraint, double waitMs)
    {
        var reads = await _reads.HoldAsync(lease.Token);
        try
        {
            lease.Start(reads.InTheWay);
            if (!await _log.PassAsync(reads.Mark).AsTask().WaitAsync(lease.Token))
            {
                await reads.DisposeAsync();
                reads = MayBeOlder(constraint) ? await _confirmedReads.HoldAsync(lease.Token) : throw LostWrite.ExplainRead(_log);
                await PassAsync(reads.Mark).AsTask().WaitAsync(lease.Token);
            }

            return new SnapshotTransaction<Position>(reads, reads.Mark.ToBookmark(_database).ToString(), Served(waitMs, reads.QueueMs));
        }
        catch
        {
            await reads.DisposeAsync();
            throw;
        }
    }
}
