using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>An import or export that goes on between the requests that ask for it.</summary>
/// <param name="databaseId">Whose.</param>
/// <param name="atBookmark">By which it is asked for.</param>
/// <param name="options">Of an export.</param>
/// <param name="file">Where it comes from or goes to.</param>
/// <param name="work">Ends with the database as it is then, or of an export with nothing.</param>
internal sealed class TransferJob(string databaseId, string atBookmark, SqlDumpOptions options, StoredFile file, Task<Database?> work)
{
    // Clients ask again at once: the answer is held while work runs, and not so long that somebody gives up.
    private static readonly TimeSpan _hold = TimeSpan.FromSeconds(20);

    public string DatabaseId => databaseId;

    public string AtBookmark => atBookmark;

    public SqlDumpOptions Options => options;

    public StoredFile File => file;

    public bool IsUnderWay => !work.IsCompleted;

    /// <summary>Waits a while for its end.</summary>
    /// <returns>Whether it has ended, well or badly: then <see cref="ResultAsync"/> is at hand.</returns>
    public async Task<bool> WaitAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await work.WaitAsync(_hold, time, cancellationToken);
        }
        catch (Exception) when (work.IsCompleted || !cancellationToken.IsCancellationRequested)
        {
            // Its own failure, which is told below, or the time is over.
        }

        return work.IsCompleted;
    }

    /// <summary>What came of it.</summary>
    public Task<Database?> ResultAsync() => work;
}
