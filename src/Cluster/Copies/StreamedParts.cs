using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>A streamed read as messages of the contract, without the last one.</summary>
public static class StreamedParts
{
    /// <summary>The parts as they are read; each header carries the bookmark of the snapshot.</summary>
    /// <remarks>One part is read ahead while the one before it is sent, so that SQLite and the network need not wait for each other.</remarks>
    public static async IAsyncEnumerable<EncodedResponse> ReadAsync<TMark>(StreamedRead<TMark> read, string bookmark)
    {
        var next = NextAsync(read, bookmark);
        try
        {
            while (await next is { } part)
            {
                if (part.Header is { } header)
                {
                    header.Bookmark = bookmark;
                }

                next = NextAsync(read, bookmark);
                yield return new EncodedResponse { Result = part };
            }
        }
        finally
        {
            // Whoever leaves in the middle does not want it; the read is free before its owner ends it.
            await next.ContinueWith(static part => part.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private static async Task<EncodedPart?> NextAsync<TMark>(StreamedRead<TMark> read, string bookmark)
    {
        try
        {
            return await read.NextAsync();
        }
        catch (RequestException failure)
        {
            failure.Error.Bookmark = bookmark; // an error in the middle was read from that state too
            throw;
        }
    }
}
