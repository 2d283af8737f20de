namespace ReplicatedSqlite.Sqlite;

/// <summary>Brings transactions into a replica's file: early but hidden, then confirmed, or discarded.</summary>
/// <remarks>
/// Used by one owner at a time, in its turns; readers on other connections, threads and processes go on meanwhile and see a whole prefix of the
/// confirmed transactions. Ordinals count the transactions from 1 since opening; those above a discarded one are used again. Nothing is durable
/// on return: after a crash the file is rebuilt from its sidecar and the log.
/// </remarks>
public interface IPageApplier : IDisposable
{
    /// <summary>Transactions that came and are neither confirmed nor discarded.</summary>
    long HiddenTransactions { get; }

    /// <summary>The length of the WAL's live part, hidden frames included.</summary>
    long WalSizeBytes { get; }

    /// <summary>Starts a transaction behind the last one. Earlier ones may be confirmed while it is open.</summary>
    /// <param name="databaseSizePages">The database's size after it.</param>
    void BeginTransaction(uint databaseSizePages);

    /// <summary>Reads a page as the transactions before the open one left it, hidden ones included; zeros if the database had no such page.</summary>
    void ReadPage(uint pageNumber, Span<byte> target);

    /// <summary>One whole page of the open transaction; the bytes are copied.</summary>
    void WritePage(uint pageNumber, ReadOnlySpan<byte> image);

    /// <summary>Ends the open transaction. It stays hidden.</summary>
    /// <returns>Its ordinal, greater by one than the last.</returns>
    long EndTransaction();

    /// <summary>Forgets the open transaction, of which parts are missing for good. None open: nothing happens.</summary>
    void AbortTransaction();

    /// <summary>Makes all hidden transactions up to and including this one visible, at once.</summary>
    void Confirm(long ordinal);

    /// <summary>Forgets the open transaction and the hidden ones above this one. Whoever holds pages built from them drops those too.</summary>
    void DiscardAfter(long ordinal);
}
