namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Another system that users would choose instead, running for the length of a scenario: the same rows, as durable, from as many callers.</summary>
internal abstract class Peer : IAsyncDisposable
{
    /// <summary>System, version and how it is called.</summary>
    public abstract string Name { get; }

    /// <summary>How it differs from us, in a sentence for the report.</summary>
    public abstract string Difference { get; }

    /// <summary>Whether one call takes several rows.</summary>
    public virtual bool HasBatches => true;

    /// <summary>Whether a session can be sure of seeing its own write at a copy that is not the one it wrote to.</summary>
    public virtual bool HasReadYourWrites => true;

    /// <summary>A connection for one caller.</summary>
    /// <param name="caller">Its number, different for each.</param>
    public abstract Task<PeerConnection> ConnectAsync(int caller);

    /// <summary>Rows that the copy which is read from has, once it has everything that was written.</summary>
    public abstract Task<long> CountAsync();

    /// <summary>Load by a tool of the peer's own in place of our loop; <see langword="null"/>: it has none.</summary>
    public virtual (string Name, Func<int, TimeSpan, Task<LoadResult>> Insert)? Tool => null;

    public abstract ValueTask DisposeAsync();
}

/// <summary>One caller's connection to a peer.</summary>
internal abstract class PeerConnection : IAsyncDisposable
{
    /// <summary>Inserts one row, durable when it returns.</summary>
    /// <returns>Its id.</returns>
    public abstract Task<long> InsertAsync(string value);

    /// <summary>Inserts several rows in one call.</summary>
    public virtual Task InsertAsync(string value, int rows) => throw new NotSupportedException("This peer has no batches.");

    /// <summary>Reads a row by its id from a copy.</summary>
    /// <returns>Its value; <see langword="null"/>: there is none.</returns>
    public abstract Task<string?> ReadAsync(long id);

    /// <summary>Learns the position of the last insert, where a read has to name it.</summary>
    public virtual Task MarkAsync() => Task.CompletedTask;

    /// <summary>Waits until the copy has the last row that this connection inserted, and reads it there.</summary>
    public abstract Task<string?> ReadOwnAsync(long id);

    public abstract ValueTask DisposeAsync();
}
