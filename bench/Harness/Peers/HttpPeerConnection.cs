namespace ReplicatedSqlite.Bench.Harness;

/// <summary>One caller's connections to a peer over HTTP: to the node that it writes to, and to the copy that it reads. Own writes there by asking again until they show.</summary>
internal abstract class HttpPeerConnection : PeerConnection
{
    /// <summary>To the node that takes writes.</summary>
    protected HttpConnection Writes { get; } = new();

    /// <summary>To the copy.</summary>
    protected HttpConnection Reads { get; } = new();

    public override async Task<string?> ReadOwnAsync(long id)
    {
        while (true)
        {
            if (await ReadAsync(id) is { } found)
            {
                return found;
            }
        }
    }

    public override ValueTask DisposeAsync()
    {
        Writes.Dispose();
        Reads.Dispose();
        return ValueTask.CompletedTask;
    }
}
