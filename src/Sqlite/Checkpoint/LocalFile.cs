namespace ReplicatedSqlite.Sqlite;

/// <summary>What is done to a database's files while no connection is open on them.</summary>
public static class LocalFile
{
    /// <summary>Removes what a crash or a lost leadership left beside the main file: from here on it is main file + sidecar + log. Durable on return.</summary>
    /// <exception cref="InvalidOperationException">A connection of this process is open on it.</exception>
    public static void DiscardWal(string path)
    {
        OpenFiles.ThrowIfOpen(path);
        DurableFile.Delete(WalFile.PathOf(path));
        DurableFile.Delete(WalFile.IndexPathOf(path));
        DurableFile.SyncFolderOf(path);
    }

    /// <summary>Removes the database with everything that belongs to it. Durable on return.</summary>
    /// <exception cref="InvalidOperationException">A connection of this process is open on it.</exception>
    public static void Remove(string path)
    {
        OpenFiles.ThrowIfOpen(path);
        DurableFile.Delete(Sidecar.PathOf(path)); // first: what is left of a half-done removal is not trusted
        DurableFile.SyncFolderOf(path);
        DurableFile.Delete(path);
        DiscardWal(path);
    }

    /// <summary>Puts a complete database image in the place of the file. Durable on return.</summary>
    /// <param name="path">The database file.</param>
    /// <param name="image">The whole file, as <see cref="SnapshotReader"/> gives it; read from where it stands to its end.</param>
    /// <param name="sidecar">Says which state it is. For a snapshot both positions are the snapshot's.</param>
    /// <param name="cancellationToken">Stops the copying; after that the swap is not interrupted.</param>
    /// <exception cref="InvalidOperationException">A connection of this process is open on the file.</exception>
    /// <exception cref="InvalidDataException">The image is no SQLite database.</exception>
    public static async Task InstallAsync(string path, Stream image, Sidecar sidecar, CancellationToken cancellationToken = default)
    {
        OpenFiles.ThrowIfOpen(path);
        var temporary = path + ".installing";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Options = FileOptions.Asynchronous };
        await using (var file = new FileStream(temporary, options))
        {
            await image.CopyToAsync(file, cancellationToken);
            file.Flush(flushToDisk: true);
        }

        Install(path, temporary, sidecar);
    }

    /// <summary>Puts a complete and synced temporary file in the place of the file. Durable on return.</summary>
    /// <inheritdoc cref="InstallAsync"/>
    /// <param name="path">The database file.</param>
    /// <param name="temporary">In the same folder, so that a rename does it.</param>
    /// <param name="sidecar">Says which state it is.</param>
    public static void Install(string path, string temporary, Sidecar sidecar)
    {
        InstallUnsynced(path, temporary);
        sidecar.Write(Sidecar.PathOf(path));
    }

    /// <summary>The same with a file that is not synced. It gets no sidecar: after a crash nobody trusts it, and the copy is built again.</summary>
    public static void InstallUnsynced(string path, string temporary)
    {
        OpenFiles.ThrowIfOpen(path);
        CheckImage(temporary);

        // Without its sidecar a file is not trusted; so neither the old nor the new one is taken for the other if the power fails in between.
        DurableFile.Delete(Sidecar.PathOf(path));
        DiscardWal(path);
        DurableFile.Rename(temporary, path);
    }

    private static void CheckImage(string path)
    {
        using var file = File.OpenHandle(path);
        Span<byte> header = stackalloc byte[100];
        var length = RandomAccess.GetLength(file);
        if (RandomAccess.Read(file, header, 0) < header.Length || !header.StartsWith("SQLite format 3\0"u8))
        {
            throw new InvalidDataException($"'{path}' ({length} bytes) is no SQLite database: its first bytes are not the format's. It was not installed.");
        }

        var pageSizeBytes = (int)System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(header[16..]);
        pageSizeBytes = pageSizeBytes == 1 ? WalLayout.MaxPageSizeBytes : pageSizeBytes;
        if (!WalLayout.IsPageSize(pageSizeBytes) || length % pageSizeBytes != 0)
        {
            throw new InvalidDataException($"'{path}' has {length} bytes, which are no whole pages of {pageSizeBytes}. It was not installed.");
        }
    }
}
