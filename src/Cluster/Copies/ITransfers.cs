using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>What only a database's primary can do with whole files: copy the database, put another in its place, and run a long SQL text.</summary>
public interface ITransfers
{
    /// <summary>Makes a file of a confirmed state: complete, without a WAL and without the server's own tables. Writers go on meanwhile.</summary>
    /// <param name="path">The file to make.</param>
    /// <param name="at">Which state; <see langword="null"/>: now.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The bookmark of the state.</returns>
    /// <exception cref="RequestException">It cannot.</exception>
    Task<Bookmark> CopyAsync(string path, Bookmark? at, CancellationToken cancellationToken);

    /// <summary>Makes the database what an image is, by one entry. Writes wait while it is put in.</summary>
    /// <param name="path">A complete file of the database's page size, checked.</param>
    /// <param name="cancellationToken">Gives up, until it begins to be put in.</param>
    /// <returns>The bookmark of the new state.</returns>
    /// <exception cref="RequestException">It cannot; the database is as it was.</exception>
    Task<Bookmark> ReplaceAsync(string path, CancellationToken cancellationToken);

    /// <summary>Runs the statements of a file as one transaction. Other writes wait meanwhile.</summary>
    /// <param name="path">SQL in UTF-8.</param>
    /// <param name="cancellationToken">Interrupts it.</param>
    /// <returns>The bookmark behind it, and what was done.</returns>
    /// <exception cref="RequestException">A statement failed, and nothing was done; or what became of it is not known.</exception>
    Task<(Bookmark Bookmark, ScriptOutcome Outcome)> RunScriptAsync(string path, CancellationToken cancellationToken);
}
