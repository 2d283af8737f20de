using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Replica;

/// <summary>A read replica of one database on one node.</summary>
public sealed class ReplicaGrain : IDatabaseCopy
{
    private readonly BookmarkWaiters _waiters;
    private readonly ReplicaCopy _copy;
    private readonly ReplicaFeed _feed;
    private readonly ReplicaReads _reads;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _following;
    private volatile bool _failed;

    private ReplicaGrain(ReplicaContext context, DatabaseId database)
    {
        _waiters = new BookmarkWaiters(context.Time);
        _copy = new ReplicaCopy(context, database, _waiters);
        _feed = new ReplicaFeed(context, database, _copy, _waiters);
        _reads = new ReplicaReads(context, database, _copy, _feed, _waiters, new BookmarkInquiry(context, database));
        _copy.Open();
        _following = FollowAsync(context, database);
    }

    /// <inheritdoc/>
    public bool HasFailed => _failed;

    /// <inheritdoc/>
    public CopyStatus Status => new(IsPrimary: false, _copy.Mark?.Position ?? Position.Start, _feed.ConfirmLagMs, SizeBytes: 0)
    {
        WalBytes = _copy.WalSizeBytes, Staleness = _feed.Staleness,
    };

    /// <summary>Opens the copy that is here and begins to follow the primary. Returns before it has reached it.</summary>
    /// <exception cref="RequestException">It has failed several times lately, and is left alone for now.</exception>
    public static async Task<IDatabaseCopy> ActivateAsync(ReplicaContext context, DatabaseId database) => context.Faults.Pause(database, context.Time) is var (left, reason)
        ? throw new RequestException(ErrorCodes.CopyStale, $"This node's replica of {database} has failed several times and is left alone for another {left.TotalSeconds:F0} s: {reason} Ask another node.")
        : await context.Workers.RunAsync(() => new ReplicaGrain(context, database));

    /// <inheritdoc/>
    public Task<ExecuteResponse> ExecuteAsync(ExecuteRequest request, ReadConstraint constraint, CancellationToken cancellationToken) =>
        _reads.ExecuteAsync(request, constraint, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<EncodedResponse> StreamAsync(StreamRequest request, ReadConstraint constraint, CancellationToken cancellationToken) =>
        _reads.StreamAsync(request, constraint, cancellationToken);

    /// <inheritdoc/>
    public Task TransactAsync(TransactRequest.Types.Begin begin, TransactCall call, ReadConstraint constraint, CancellationToken cancellationToken) =>
        _reads.TransactAsync(begin, call, constraint, _stopping.Token, cancellationToken);

    /// <inheritdoc/>
    public Task<DescribeResponse> DescribeAsync(DescribeRequest request, ReadConstraint constraint, CancellationToken cancellationToken) =>
        _reads.DescribeAsync(request, constraint, cancellationToken);

    /// <inheritdoc/>
    public Task<GetOutcomeResponse> GetOutcomeAsync(GetOutcomeRequest request, Caller caller, CancellationToken cancellationToken) =>
        _reads.GetOutcomeAsync(request, caller, cancellationToken);

    /// <summary>Stops following; readers are still answered with what is there, and those who wait for more go to the primary.</summary>
    public void BeginStop()
    {
        _stopping.Cancel();
        _waiters.Stop();
    }

    /// <summary>Ends the waits and the reads.</summary>
    public void Abort()
    {
        _waiters.Dispose();
        _copy.Abort();
    }

    /// <summary>Stops following, ends the waits, and closes the copy after a last checkpoint.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _following;
        _waiters.Dispose();
        await _copy.DisposeAsync();
    }

    /// <summary>Sends what this copy shows to a node that begins to lead.</summary>
    /// <inheritdoc cref="ReplicaCopy.SendBaseAsync"/>
    internal async Task<(Position To, LogState State)> SendBaseAsync(
        Position atLeast, Func<SubscribeResponse.Types.SnapshotPart, CancellationToken, ValueTask> write, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        return await _copy.SendBaseAsync(atLeast, write, ending.Token);
    }

    private async Task FollowAsync(ReplicaContext context, DatabaseId database)
    {
        try
        {
            await Task.Yield(); // the grain is complete before the first message comes
            await _feed.RunAsync(_stopping.Token);
        }
        catch (Exception e)
        {
            // A disk that failed, or a bug: this copy stops, loudly, and nothing else. A later request makes a new one.
            ReplicaLog.Stopped(context.Logger, database, e);
            context.Faults.Note(database, e.Message, context.Time);
            _failed = true;
            _waiters.Dispose();
        }
    }
}
