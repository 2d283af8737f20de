using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>An interactive transaction that only reads: a snapshot taken at Begin, on any copy. Writers go on meanwhile.</summary>
/// <param name="reads">The snapshot; disposed with the transaction.</param>
/// <param name="bookmark">Of what it shows.</param>
/// <param name="served">Who answers.</param>
public sealed class SnapshotTransaction<TMark>(SnapshotReads<TMark> reads, string bookmark, Served served) : IOpenTransaction
{
    /// <inheritdoc/>
    public Done Begun { get; } = new() { Bookmark = bookmark, Served = served };

    /// <inheritdoc/>
    public bool IsOpen => true; // nothing that only reads can end it

    /// <inheritdoc/>
    public async IAsyncEnumerable<ResultPart> ExecuteAsync(SqlRequest request)
    {
        await foreach (var part in reads.ExecuteAsync(request))
        {
            if (part.Header is { } header)
            {
                header.Bookmark = bookmark;
            }

            yield return part;
        }
    }

    /// <inheritdoc/>
    public Task<Done> CommitAsync() => EndAsync();

    /// <inheritdoc/>
    public Task<Done> RollbackAsync() => EndAsync();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => reads.DisposeAsync();

    private async Task<Done> EndAsync()
    {
        await reads.DisposeAsync();
        return Begun;
    }
}
