using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Reads everything that is stored of a database and proves that every state of it can be restored.</summary>
/// <remarks>
/// All segments are read with every entry, all snapshots with every chunk, each against its checksums and hashes, and the log is followed without a gap from the first state that is kept to
/// the last. Then the last state is built twice, from the newest snapshot and from the oldest base: both ways must make the same file, byte for byte, which SQLite finds whole.
/// </remarks>
public sealed class ColdVerifier(IObjectStore store, string scratchFolder)
{
    private long _objects;
    private long _bytes;
    private long _entries;

    /// <summary>Runs it.</summary>
    /// <exception cref="ObjectStoreException">An object is missing or damaged, and which.</exception>
    /// <exception cref="BookmarkNotStoredException">Nothing is stored.</exception>
    public async Task<ColdProof> RunAsync(DatabaseId database, CancellationToken cancellationToken = default)
    {
        var timeline = await ColdTimeline.ReadAsync(store, database, cancellationToken)
            ?? throw new BookmarkNotStoredException(null, database, "nothing of it was ever stored");
        foreach (var link in timeline.Snapshots)
        {
            await ReadSnapshotAsync(link, cancellationToken);
        }

        var oldest = await FindOldestAsync(timeline, cancellationToken);
        var way = await timeline.FindPathAsync(timeline.End.Epoch, timeline.End.Sequence, cancellationToken, snapshot => snapshot == oldest);
        foreach (var link in way.Segments)
        {
            await ReadSegmentAsync(link, cancellationToken);
        }

        await CompareAsync(database, timeline, way, cancellationToken);
        return new ColdProof(oldest?.Last ?? timeline.Origin?.Position ?? Position.Start, timeline.End, _objects, _bytes, _entries, timeline.Snapshots.Length);
    }

    // The log from its beginning, or, where that was collected or never stored, the first snapshot.
    private async Task<ColdLink?> FindOldestAsync(ColdTimeline timeline, CancellationToken cancellationToken)
    {
        var begin = timeline.Origin?.Position ?? Position.Start;
        var isWhole = await HeadObject.ReadFloorAsync(store, timeline.Database, cancellationToken) is null
            && (timeline.End == begin || (await timeline.SegmentsAsync(begin, cancellationToken)).Any(segment => segment.First <= begin));
        return isWhole ? null : timeline.Snapshots.FirstOrDefault();
    }

    private async Task ReadSnapshotAsync(ColdLink link, CancellationToken cancellationToken)
    {
        var manifest = await SnapshotManifest.ReadAsync(store, link.Database, link.Object, cancellationToken);
        Count(link.Object.SizeBytes);
        for (var i = 0; i < manifest.Chunks.Length; i++)
        {
            await PageChunk.ReadAsync(store, ColdNames.Chunk(link.Database, manifest.Chunks[i].Sha256.AsSpan()), manifest.Chunks[i], manifest.BytesOf(i), cancellationToken);
            Count(manifest.Chunks[i].StoredBytes);
        }
    }

    private async Task ReadSegmentAsync(ColdLink link, CancellationToken cancellationToken)
    {
        var reader = await SegmentReader.OpenAsync(store, link.Database, link.Object, cancellationToken);
        _entries += (await reader.ReadEntriesAsync(cancellationToken)).Count;
        _ = await reader.ReadPagesAsync(cancellationToken);
        _ = await reader.ReadEpochsAsync(cancellationToken);
        Count(link.Object.SizeBytes);
    }

    private async Task CompareAsync(DatabaseId database, ColdTimeline timeline, ColdPath way, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(scratchFolder);
        var (one, other) = (Path.Combine(scratchFolder, $"verify-{Guid.NewGuid():n}-1"), Path.Combine(scratchFolder, $"verify-{Guid.NewGuid():n}-2"));
        try
        {
            var restorer = new ColdRestorer(store, new ColdRestoreOptions());
            await restorer.RestoreAsync(database, one, null, cancellationToken);
            await restorer.RestoreAlongAsync(timeline, way, other, timeline.End.ToBookmark(database), cancellationToken);
            await Task.Run(() => Compare(timeline.End, one, other), cancellationToken);
        }
        finally
        {
            foreach (var path in new[] { one, other })
            {
                LocalFile.Remove(path);
                File.Delete(RestoreProgress.PathOf(path));
            }
        }
    }

    private static void Compare(Position end, string one, string other)
    {
        using (var left = File.OpenRead(one))
        using (var right = File.OpenRead(other))
        {
            byte[] leftBytes = new byte[1 << 20], rightBytes = new byte[1 << 20];
            for (long offset = 0; ; offset += leftBytes.Length)
            {
                var (read, alsoRead) = (left.ReadAtLeast(leftBytes, leftBytes.Length, throwOnEndOfStream: false), right.ReadAtLeast(rightBytes, rightBytes.Length, throwOnEndOfStream: false));
                if (read != alsoRead || !leftBytes.AsSpan(0, read).SequenceEqual(rightBytes.AsSpan(0, alsoRead)))
                {
                    throw new ObjectDamagedException($"*-{end}", $"the state there is one from the newest snapshot and another from the log before it; they differ between byte {offset} and {offset + leftBytes.Length}");
                }

                if (read < leftBytes.Length)
                {
                    break;
                }
            }
        }

        using var connection = SqliteConnection.Open(one);
        if (connection.QueryText("PRAGMA quick_check(1)") is var found && found != "ok")
        {
            throw new ObjectDamagedException($"*-{end}", $"SQLite does not find the state there whole: {found}");
        }
    }

    private void Count(long bytes)
    {
        _objects++;
        _bytes += bytes;
    }
}

/// <summary>What a verification read.</summary>
/// <param name="From">The first state that can be restored.</param>
/// <param name="To">The last.</param>
/// <param name="Objects">Objects read.</param>
/// <param name="Bytes">Bytes read.</param>
/// <param name="Entries">Entries of the log.</param>
/// <param name="Snapshots">Snapshots.</param>
public sealed record ColdProof(Position From, Position To, long Objects, long Bytes, long Entries, int Snapshots);
