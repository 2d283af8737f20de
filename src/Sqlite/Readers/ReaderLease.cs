namespace ReplicatedSqlite.Sqlite;

/// <summary>A read connection for the length of one read.</summary>
public readonly struct ReaderLease : IDisposable
{
    private readonly DatabaseReaders _owner;

    internal ReaderLease(DatabaseReaders owner, QueryConnection connection, CancellationToken inTheWay)
    {
        _owner = owner;
        Connection = connection;
        InTheWay = inTheWay;
    }

    /// <summary>The connection.</summary>
    public QueryConnection Connection { get; }

    internal CancellationToken Aborting => _owner?.Aborting ?? CancellationToken.None;

    /// <summary>Cancelled when this read is to end because it keeps the WAL from being restarted.</summary>
    internal CancellationToken InTheWay { get; }

    /// <summary>Gives it back. Once.</summary>
    public void Dispose() => _owner?.Return(Connection);
}
