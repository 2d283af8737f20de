using System.Text.Json;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>What cold storage knows of a database beside its log, so that it can be brought back when nothing else is left (docs/formats.md, "Records").</summary>
/// <param name="Id">Which.</param>
/// <param name="Name">How it is called, or was.</param>
/// <param name="Settings">The catalogue's record of it, as JSON of the catalogue's own.</param>
/// <param name="DeletedAtMicroseconds">When it was deleted, since 1970-01-01 UTC; <see langword="null"/> while it is not.</param>
public sealed record ColdRecord(Guid Id, string Name, string Settings, long? DeletedAtMicroseconds = null)
{
    private const string Folder = "databases/";

    /// <summary>Reads one.</summary>
    /// <returns><see langword="null"/> if there is none.</returns>
    /// <exception cref="ObjectStoreException">It is damaged, or cannot be read.</exception>
    public static async Task<ColdRecord?> ReadAsync(IObjectStore store, DatabaseId database, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        return await store.FindAsync(NameOf(database), cancellationToken) is { } found ? await ReadAsync(store, found, cancellationToken) : null;
    }

    /// <summary>Reads all, in order of their ids.</summary>
    /// <exception cref="ObjectStoreException">One is damaged, or cannot be read.</exception>
    public static async IAsyncEnumerable<ColdRecord> ReadAllAsync(
        IObjectStore store, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        await foreach (var item in store.ListAsync(Folder, cancellationToken: cancellationToken))
        {
            yield return await ReadAsync(store, item, cancellationToken);
        }
    }

    /// <summary>The ids of all databases that have one, in order; reads none of them.</summary>
    /// <exception cref="ObjectStoreException">The store does not answer.</exception>
    public static async IAsyncEnumerable<DatabaseId> ListAsync(
        IObjectStore store, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        await foreach (var item in store.ListAsync(Folder, cancellationToken: cancellationToken))
        {
            if (Guid.TryParseExact(item.Name.AsSpan(Folder.Length), "D", out var id))
            {
                yield return new DatabaseId(id);
            }
        }
    }

    /// <summary>Writes it over the one that may be there.</summary>
    /// <exception cref="ObjectStoreException">The store did not take it.</exception>
    public Task WriteAsync(IObjectStore store, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        return store.ReplaceAsync(NameOf(new DatabaseId(Id)), JsonSerializer.SerializeToUtf8Bytes(this), cancellationToken);
    }

    internal static string NameOf(DatabaseId database) => $"{Folder}{database}";

    private static async Task<ColdRecord> ReadAsync(IObjectStore store, StoredObject item, CancellationToken cancellationToken)
    {
        var bytes = new byte[item.SizeBytes];
        await store.ReadAsync(item.Name, 0, bytes, cancellationToken);
        try
        {
            return JsonSerializer.Deserialize<ColdRecord>(bytes) is { Name: not null, Settings: not null } record && NameOf(new DatabaseId(record.Id)) == item.Name
                ? record
                : throw new ObjectDamagedException(item.Name, "it is not the record that its name says");
        }
        catch (JsonException e)
        {
            throw new ObjectDamagedException(item.Name, e.Message);
        }
    }
}
