using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Router;

/// <summary>Brings what a client sends to disk, part by part: a slow client holds a file open, and nothing else.</summary>
internal static class ImportUpload
{
    /// <exception cref="RequestException">It sends something else, or there is no room for it.</exception>
    public static async Task ReceiveAsync(IAsyncEnumerator<ImportRequest> parts, string path, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 20);
        while (await parts.MoveNextAsync())
        {
            if (parts.Current.PartCase != ImportRequest.PartOneofCase.Data)
            {
                throw new RequestException(ErrorCodes.InvalidRequest, "An import has one header, and behind it data alone. Nothing was imported.");
            }

            try
            {
                await file.WriteAsync(parts.Current.Data.Memory, cancellationToken);
            }
            catch (IOException e)
            {
                throw new RequestException(ErrorCodes.SqliteFull, $"The node has no room for the upload: {e.Message} Nothing was imported.");
            }
        }
    }
}
