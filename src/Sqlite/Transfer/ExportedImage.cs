namespace ReplicatedSqlite.Sqlite;

/// <summary>Makes a file of its own of a database: complete, without a WAL and without the server's own tables. Blocks: for a thread that may.</summary>
public static class ExportedImage
{
    /// <summary>Copies what a snapshot shows.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public static void Copy(SnapshotReader snapshot, string path, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 20);
        while (snapshot.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var offset = (snapshot.PageNumber - 1L) * snapshot.PageSizeBytes;
            if (file.Position != offset)
            {
                file.Position = offset; // behind the lock page, which stays a hole
            }

            file.Write(snapshot.Image);
        }

        file.SetLength((long)snapshot.PageCount * snapshot.PageSizeBytes);
    }

    /// <summary>Makes a copy fit to be given away.</summary>
    /// <exception cref="Protocol.RequestException">SQLite could not read it.</exception>
    public static void Finish(string path)
    {
        try
        {
            using var connection = SqliteConnection.OpenAlone(path);
            ImportedImage.DropOwnTables(connection);
        }
        catch (SqliteException error)
        {
            throw SqlErrors.From(error);
        }
    }
}
