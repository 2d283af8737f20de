namespace ReplicatedSqlite.ColdStorage;

/// <summary>Where cold storage lies: named objects that are written whole. Safe for use by any thread.</summary>
/// <remarks>
/// Names are parts of lowercase letters, digits, <c>-</c> and <c>.</c>, joined by <c>/</c>. Nothing rests on a store's promise to refuse a second write of a name: objects whose names
/// are equal hold the same. Every failure is an <see cref="ObjectStoreException"/> that names the object.
/// </remarks>
public interface IObjectStore : IAsyncDisposable
{
    /// <summary>For messages: what and where.</summary>
    string Description { get; }

    /// <summary>Stores an object; durable on return. Where there is one of that name, it stays.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="parts">Its bytes, one part after the other.</param>
    /// <param name="cancellationToken">Gives up; the object may be there all the same.</param>
    /// <returns><see langword="false"/> if the store noticed that the name was taken.</returns>
    Task<bool> PutAsync(string name, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellationToken = default);

    /// <summary>Stores an object over the one that may be there; durable on return. Readers meet the old one or the new one, whole.</summary>
    Task ReplaceAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default);

    /// <summary>Fills the target with the object's bytes from an offset on.</summary>
    /// <exception cref="ObjectMissingException">There is no such object.</exception>
    /// <exception cref="ObjectDamagedException">It ends before.</exception>
    Task ReadAsync(string name, long offset, Memory<byte> target, CancellationToken cancellationToken = default);

    /// <summary>What the store says of an object; <see langword="null"/> if there is none.</summary>
    Task<StoredObject?> FindAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>The objects whose names begin so, in ordinal order of their names.</summary>
    /// <param name="prefix">Ends with a <c>/</c>.</param>
    /// <param name="after">Only names behind this one.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    IAsyncEnumerable<StoredObject> ListAsync(string prefix, string after = "", CancellationToken cancellationToken = default);

    /// <summary>Removes an object; one that is not there is no error.</summary>
    Task DeleteAsync(string name, CancellationToken cancellationToken = default);
}

/// <summary>What a store says of an object.</summary>
/// <param name="Name">Its name.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="ModifiedAt">When it was stored, by the store's clock.</param>
public readonly record struct StoredObject(string Name, long SizeBytes, DateTimeOffset ModifiedAt);
