using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cluster;

/// <summary>A copy of a database on this node that answers queries: its primary, or a replica.</summary>
public interface IDatabaseCopy : IGrain
{
    /// <summary>What its readers can see.</summary>
    CopyStatus Status { get; }

    /// <summary>One or more statements as one transaction.</summary>
    /// <param name="request">The call.</param>
    /// <param name="constraint">Its session, checked.</param>
    /// <param name="cancellationToken">Interrupts the SQL; a write that has committed stays.</param>
    /// <exception cref="RequestException">In the contract's words.</exception>
    Task<ExecuteResponse> ExecuteAsync(ExecuteRequest request, ReadConstraint constraint, CancellationToken cancellationToken);

    /// <summary>The same, with rows while they are read.</summary>
    IAsyncEnumerable<EncodedResponse> StreamAsync(StreamRequest request, ReadConstraint constraint, CancellationToken cancellationToken);

    /// <summary>An interactive transaction: on return the call is answered, unless an exception says what Begin was refused with.</summary>
    /// <param name="begin">The first step.</param>
    /// <param name="call">The steps that follow, and the answers.</param>
    /// <param name="constraint">Its session, checked.</param>
    /// <param name="cancellationToken">Rolls back.</param>
    Task TransactAsync(TransactRequest.Types.Begin begin, TransactCall call, ReadConstraint constraint, CancellationToken cancellationToken);

    /// <summary>What a statement would need and return.</summary>
    Task<DescribeResponse> DescribeAsync(DescribeRequest request, ReadConstraint constraint, CancellationToken cancellationToken);

    /// <summary>What became of a write. Only the primary can say; a replica passes it on.</summary>
    /// <param name="request">The call.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<GetOutcomeResponse> GetOutcomeAsync(GetOutcomeRequest request, Caller caller, CancellationToken cancellationToken);
}

/// <summary>What a copy shows.</summary>
/// <param name="IsPrimary">It takes the writes.</param>
/// <param name="Visible">The last entry that its readers can see; at the primary, the last confirmed one.</param>
/// <param name="ConfirmLagMs">From the primary's confirmation to visibility here, of the newest mark that was measured.</param>
/// <param name="SizeBytes">Of the database.</param>
public readonly record struct CopyStatus(bool IsPrimary, Position Visible, double ConfirmLagMs, long SizeBytes)
{
    /// <summary>Length of its WAL.</summary>
    public long WalBytes { get; init; }

    /// <summary>What a primary has committed here and no quorum has confirmed yet.</summary>
    public long UnconfirmedBytes { get; init; }

    /// <summary>The entries that <see cref="UnconfirmedBytes"/> counts.</summary>
    public int UnconfirmedEntries { get; init; }

    /// <summary>How long ago a replica's primary was known to be the primary; <see langword="null"/> if it never was, and of a primary.</summary>
    public TimeSpan? Staleness { get; init; }
}
