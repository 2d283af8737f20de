namespace ReplicatedSqlite.ColdStorage;

/// <summary>Gives a snapshot its name. Its chunks and everything up to its end are stored.</summary>
internal sealed class SnapshotPublisher(ColdStore cold, SnapshotManifest manifest)
{
    /// <returns>What is there under that name now.</returns>
    /// <exception cref="ObjectStoreException">The store did not take it, or keeps something else.</exception>
    public async Task<SnapshotManifest> RunAsync(CancellationToken cancellationToken)
    {
        if (!await cold.Store.PutAsync(manifest.Name, [manifest.Write()], cancellationToken) && await FindAsync(cancellationToken) is { } there)
        {
            return there; // of the same states, by a try whose answer was lost or another node: as good, and somebody may be reading it
        }

        await CheckAsync(cancellationToken);
        return manifest;
    }

    // What cannot be read may be replaced.
    private async Task<SnapshotManifest?> FindAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await cold.Store.FindAsync(manifest.Name, cancellationToken) is { } found ? await SnapshotManifest.ReadAsync(cold.Store, manifest.Database, found, cancellationToken) : null;
        }
        catch (ObjectDamagedException e)
        {
            ColdLog.ObjectPassedOver(cold.Logger, manifest.Database, manifest.Name, e);
            return null;
        }
    }

    // A store that kept less than it was given, or has a damaged one in its place, is found out at once.
    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        var bytes = manifest.Write();
        if (await HoldsAsync(bytes, cancellationToken))
        {
            return;
        }

        await cold.Store.ReplaceAsync(manifest.Name, bytes, cancellationToken); // in one step: whoever has found it listed finds one
        if (!await HoldsAsync(bytes, cancellationToken))
        {
            throw new ObjectDamagedException(manifest.Name, "what was stored is not what it holds");
        }
    }

    private async Task<bool> HoldsAsync(byte[] bytes, CancellationToken cancellationToken)
    {
        if ((await cold.Store.FindAsync(manifest.Name, cancellationToken))?.SizeBytes != bytes.Length)
        {
            return false;
        }

        var read = new byte[bytes.Length];
        await cold.Store.ReadAsync(manifest.Name, 0, read, cancellationToken);
        return read.AsSpan().SequenceEqual(bytes);
    }
}
