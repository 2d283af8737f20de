using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>A streamed read as messages of the contract, without the last one.</summary>
public static class StreamedParts
{
    /// <summary>The parts as they are read; each header carries the bookmark of the snapshot.</summary>
    public static async IAsyncEnumerable<StreamResponse> ReadAsync<TMark>(StreamedRead<TMark> read, string bookmark)
    {
        while (await read.NextAsync() is { } part)
        {
            if (part.Header is { } header)
            {
                header.Bookmark = bookmark;
            }

            yield return new StreamResponse { Result = part };
        }
    }
}
