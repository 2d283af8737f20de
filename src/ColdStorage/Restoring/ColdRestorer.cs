using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Makes a database file out of cold storage: a snapshot, the merged pages of the segments behind it, and the last entries one by one.</summary>
/// <remarks>
/// Everything that is read is checked: each object against its name and its own checksums, each chunk against its SHA-256, the entries against the chain, each patch against the page
/// that it is for. A restore that is broken off goes on where it was, if the same is wanted again.
/// </remarks>
public sealed class ColdRestorer(IObjectStore store, ColdRestoreOptions options)
{
    /// <summary>How far cold storage reaches for a database.</summary>
    /// <returns><see langword="null"/> if nothing of it was ever stored.</returns>
    /// <exception cref="ObjectStoreException">An object is missing or damaged, or the store does not answer.</exception>
    public async Task<ColdEnd?> FindEndAsync(DatabaseId database, CancellationToken cancellationToken = default) =>
        await ColdTimeline.ReadAsync(store, database, cancellationToken) is { } timeline ? new ColdEnd(timeline.End, timeline.Epochs) : null;

    /// <summary>The newest entry of which the commit time is not above a moment.</summary>
    /// <param name="database">Whose log.</param>
    /// <param name="atMicroseconds">Microseconds since 1970-01-01 UTC.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Its end; <see langword="null"/> if the moment lies before everything that is there.</returns>
    /// <exception cref="ObjectStoreException">An object is missing or damaged, or the store does not answer.</exception>
    public async Task<Position?> FindAsync(DatabaseId database, long atMicroseconds, CancellationToken cancellationToken = default)
    {
        if (await ColdTimeline.ReadAsync(store, database, cancellationToken) is not { } timeline)
        {
            return null;
        }

        // Commit times never go down along the log, so the segments are searched by halves.
        var segments = await timeline.SegmentsAsync(Position.Start, cancellationToken);
        int low = 0, high = segments.Count - 1;
        SegmentReader? found = null;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var reader = await SegmentReader.OpenAsync(store, database, segments[middle].Object, cancellationToken);
            if (reader.Footer.FirstCommitTime <= atMicroseconds)
            {
                (found, low) = (reader, middle + 1);
            }
            else
            {
                high = middle - 1;
            }
        }

        if (found is null)
        {
            return null;
        }

        return found.Footer.LastCommitTime <= atMicroseconds
            ? found.Footer.Last
            : (await found.ReadEntriesAsync(cancellationToken)).Last(entry => entry.Header.CommitTimeMicroseconds <= atMicroseconds).End;
    }

    /// <summary>Of a fork: how large the state is with which it began; <see langword="null"/> of another database.</summary>
    /// <exception cref="ObjectStoreException">An object is damaged, or the store does not answer.</exception>
    public async Task<long?> FindOriginBytesAsync(DatabaseId database, CancellationToken cancellationToken = default) =>
        await ColdOrigin.ReadAsync(store, database, cancellationToken) is { } origin ? (long)origin.SizePages * origin.PageSizeBytes : null;

    /// <summary>Finds the state at a bookmark without building it: the end of the entry that holds it.</summary>
    /// <param name="database">Whose.</param>
    /// <param name="at">The state; <see langword="null"/>: the newest.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ObjectStoreException">An object is missing or damaged, or the store does not answer.</exception>
    /// <exception cref="BookmarkNotStoredException">The bookmark is not in cold storage.</exception>
    public async Task<RestoredState> LocateAsync(DatabaseId database, Bookmark? at = null, CancellationToken cancellationToken = default)
    {
        var timeline = await ColdTimeline.ReadAsync(store, database, cancellationToken)
            ?? throw new BookmarkNotStoredException(at, database, "nothing of this database was ever stored there");
        var wanted = at ?? timeline.End.ToBookmark(database);
        Check(wanted, timeline, at is not null);
        await CheckKeptAsync(wanted, timeline, cancellationToken);
        var way = await timeline.FindPathAsync(wanted.Epoch, wanted.Sequence, cancellationToken);
        RestoredState? found = null;
        if (way.Segments.Count > 0)
        {
            var link = way.Segments[^1];
            var entries = await (await OpenAsync(link, cancellationToken)).ReadEntriesAsync(cancellationToken);
            var entry = entries.Find(entry => ColdTimeline.Compare(entry.End, wanted.Epoch, wanted.Sequence) >= 0) ?? entries[^1];
            found = new(entry.End, RestoreRun.EpochsAt(timeline.Epochs, entry.End), entry.Header.CommitTimeMicroseconds, entry.Header.PageSizeBytes, entry.Header.DatabaseSizePages);
        }
        else if (way.Snapshot is { } link)
        {
            var manifest = await SnapshotManifest.ReadAsync(store, link.Database, link.Object, cancellationToken);
            found = new(manifest.To, manifest.Epochs, manifest.CommitTime, manifest.PageSizeBytes, manifest.SizePages);
        }

        return found is { } state && state.Position.ToBookmark(database) is var end && (at is null || (end.Epoch == wanted.Epoch && end.EntryTag == wanted.EntryTag))
            ? state
            : throw new BookmarkNotStoredException(wanted, database, found is null ? "it lies before the first entry" : $"the entry there is another one, which ends at {found.Position.ToBookmark(database)}");
    }

    /// <summary>Makes the file as it was at a bookmark, at the end of the entry that holds it.</summary>
    /// <param name="database">Whose.</param>
    /// <param name="path">The file to make; what a restore of the same state left there is gone on from. Synced on return, unless the options say otherwise.</param>
    /// <param name="at">The state; <see langword="null"/>: the newest.</param>
    /// <param name="cancellationToken">Breaks it off.</param>
    /// <exception cref="ObjectStoreException">An object is missing or damaged, or the store does not answer.</exception>
    /// <exception cref="BookmarkNotStoredException">The bookmark is not in cold storage.</exception>
    public async Task<RestoredState> RestoreAsync(DatabaseId database, string path, Bookmark? at = null, CancellationToken cancellationToken = default)
    {
        var timeline = await ColdTimeline.ReadAsync(store, database, cancellationToken)
            ?? throw new BookmarkNotStoredException(at, database, "nothing of this database was ever stored there");
        var wanted = at ?? timeline.End.ToBookmark(database);
        Check(wanted, timeline, at is not null);
        await CheckKeptAsync(wanted, timeline, cancellationToken);
        var way = await timeline.FindPathAsync(wanted.Epoch, wanted.Sequence, cancellationToken);
        while (true)
        {
            try
            {
                return await RestoreAlongAsync(timeline, way, path, wanted, cancellationToken);
            }
            catch (Exception e) when (way.Snapshot is { } broken && IsOf(broken, e))
            {
                // The same state is reached from an older snapshot, or the log's beginning, as long as that is there; else this is the reason.
                if (await FindOtherAsync(timeline, broken, wanted, cancellationToken) is not { } other || other.Snapshot?.Object.Name == broken.Object.Name)
                {
                    throw;
                }

                way = other;
            }
        }
    }

    private static bool IsOf(ColdLink snapshot, Exception e) =>
        (e is ObjectDamagedException { Name: var damaged } ? damaged : e is ObjectMissingException { Name: var missing } ? missing : null) is { } name
        && (name == snapshot.Object.Name || name.StartsWith(ColdNames.Pages(snapshot.Database), StringComparison.Ordinal));

    private static async Task<ColdPath?> FindOtherAsync(ColdTimeline timeline, ColdLink broken, Bookmark wanted, CancellationToken cancellationToken)
    {
        try
        {
            return await timeline.FindPathAsync(wanted.Epoch, wanted.Sequence, cancellationToken, link => link.Last < broken.Last);
        }
        catch (ObjectMissingException)
        {
            return null;
        }
    }

    /// <summary>The same along a way that leads there.</summary>
    internal async Task<RestoredState> RestoreAlongAsync(ColdTimeline timeline, ColdPath way, string path, Bookmark wanted, CancellationToken cancellationToken)
    {
        var database = timeline.Database;
        var manifest = way.Snapshot is { } link ? await SnapshotManifest.ReadAsync(store, link.Database, link.Object, cancellationToken) : null;
        var bytes = (manifest is null ? 0 : (long)manifest.SizePages * manifest.PageSizeBytes) + way.Segments.Sum(static segment => segment.Object.SizeBytes);
        var restoring = options with { IsNoted = options.IsSynced && bytes >= options.LeastNotedBytes };
        var progress = restoring.IsNoted && RestoreProgress.Read(path) is { } known && known.Snapshot == (manifest?.Name ?? "") && LeadsTo(known, wanted, timeline.Epochs) ? known : null;
        if (progress is null)
        {
            RestoreProgress.Remove(path); // first, for good: it must never be taken for that of what is begun now
            File.Delete(path);
            progress = new RestoreProgress(wanted.ToString(), manifest?.Name ?? "", 0, null, null);
        }

        if (manifest is null && way.Segments.Count == 0)
        {
            throw new BookmarkNotStoredException(wanted, database, "it lies before the first entry");
        }

        var segments = new SegmentReader?[way.Segments.Count];
        var pageSize = manifest?.PageSizeBytes ?? (segments[0] = await OpenAsync(way.Segments[0], cancellationToken)).Footer.PageSizeBytes;
        if (progress.From is null)
        {
            progress = await BeginAsync(path, manifest, pageSize, progress, restoring, cancellationToken);
        }

        var run = new RestoreRun(store, database, path, pageSize, progress, restoring);
        var state = await run.ReplayAsync(way, segments, manifest, timeline.Epochs, wanted, cancellationToken);
        File.Delete(RestoreProgress.PathOf(path));
        return state;
    }

    private Task<SegmentReader> OpenAsync(ColdLink link, CancellationToken cancellationToken) => SegmentReader.OpenAsync(store, link.Database, link.Object, cancellationToken);

    // What was broken off on the way to an earlier state of the same log is gone on with as well: the newest state moves on while it is built.
    private static bool LeadsTo(RestoreProgress known, Bookmark wanted, EpochTable epochs) => known.Wanted == wanted.ToString()
        || (Bookmark.TryParse(known.Wanted, out var before) && before.DatabaseTag == wanted.DatabaseTag
            && (known.To is not { } to || (Position.TryParse(to, out var end) && ColdTimeline.IsOn(epochs, end) && ColdTimeline.Compare(end, wanted.Epoch, wanted.Sequence) <= 0)));

    // The pages of the snapshot, or the first page of an empty database.
    private async Task<RestoreProgress> BeginAsync(
        string path, SnapshotManifest? manifest, int pageSize, RestoreProgress progress, ColdRestoreOptions restoring, CancellationToken cancellationToken)
    {
        using var file = new PageFile(path, pageSize, Position.Start, restoring);
        if (manifest is null)
        {
            file.WritePages(1, 1, DatabaseFile.FirstPage(pageSize));
        }
        else
        {
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.ChunksInFlight, CancellationToken = cancellationToken };
            while (progress.Chunks < manifest.Chunks.Length)
            {
                var batch = Math.Min(options.ChunksPerSync, manifest.Chunks.Length - progress.Chunks);
                await Parallel.ForEachAsync(Enumerable.Range(progress.Chunks, batch), parallel, async (index, cancellation) =>
                {
                    var chunk = manifest.Chunks[index];
                    var name = ColdNames.Chunk(manifest.Database, chunk.Sha256.AsSpan());
                    var pages = await PageChunk.ReadAsync(store, name, chunk, manifest.BytesOf(index), cancellation);
                    file.WritePages(manifest.FirstPageOf(index), manifest.PageCountOf(index), pages.Span);
                });
                progress = progress with { Chunks = progress.Chunks + batch };
                if (progress.Chunks < manifest.Chunks.Length)
                {
                    Note(file, path, progress, restoring);
                }
            }

            file.SetSize(manifest.SizePages);
        }

        progress = progress with { From = (manifest?.From ?? Position.Start).ToString(), To = (manifest?.To ?? Position.Start).ToString() };
        Note(file, path, progress, restoring);
        return progress;
    }

    private static void Note(PageFile file, string path, RestoreProgress progress, ColdRestoreOptions restoring)
    {
        if (restoring.IsNoted)
        {
            file.Sync();
            progress.Write(path, restoring);
        }
    }

    // What is older than the retention may be there for a while yet, or in part.
    private async Task CheckKeptAsync(Bookmark wanted, ColdTimeline timeline, CancellationToken cancellationToken)
    {
        if (await HeadObject.ReadFloorAsync(store, timeline.Database, cancellationToken) is { } floor && ColdTimeline.Compare(floor, wanted.Epoch, wanted.Sequence) > 0)
        {
            throw new BookmarkNotStoredException(wanted, timeline.Database, $"it is older than what is kept, which begins at {floor.ToBookmark(timeline.Database)}");
        }
    }

    private static void Check(Bookmark wanted, ColdTimeline timeline, bool isGiven)
    {
        if (!isGiven || wanted == Bookmark.Start)
        {
            return;
        }

        if (wanted.DatabaseTag != timeline.Database.Tag)
        {
            throw new BookmarkNotStoredException(wanted, timeline.Database, "it belongs to another database");
        }

        if (wanted > timeline.End.ToBookmark(timeline.Database))
        {
            throw new BookmarkNotStoredException(wanted, timeline.Database, $"cold storage ends at {timeline.End.ToBookmark(timeline.Database)}");
        }

        if (!timeline.Epochs.IsOnTimeline(wanted))
        {
            throw new BookmarkNotStoredException(wanted, timeline.Database, "it was abandoned by a later epoch");
        }
    }
}

/// <summary>How far cold storage reaches.</summary>
/// <param name="Position">Its end.</param>
/// <param name="Epochs">The epoch table there.</param>
public sealed record ColdEnd(Position Position, EpochTable Epochs);

/// <summary>How a restore reads.</summary>
public sealed record ColdRestoreOptions
{
    /// <summary>Chunks that are read at a time. Default 4, of 4 MiB each.</summary>
    public int ChunksInFlight { get; init; } = 4;

    /// <summary>After so many the file is synced, and a restore that is broken off goes on from there. Default 64.</summary>
    public int ChunksPerSync { get; init; } = 64;

    /// <summary>The file is on the disk on return, and a restore that is broken off goes on where it was. Else it is in the system's hands, and a restore begins anew. Default yes.</summary>
    public bool IsSynced { get; init; } = true;

    /// <summary>The same for the log, in bytes of segments. Default 256 MiB.</summary>
    public long LogBytesPerSync { get; init; } = 256L << 20;

    /// <summary>A restore that reads less than this notes nothing on its way: it would take longer than to begin anew. Default 64 MiB.</summary>
    public long LeastNotedBytes { get; init; } = 64L << 20;

    /// <summary>How far it has come is noted: set by the restorer.</summary>
    internal bool IsNoted { get; init; } = true;

    /// <summary>Told before each step on the disk, and behind each sync: where tests let it fail.</summary>
    internal Action<DiskStep>? AtDisk { get; init; }
}

/// <summary>Cold storage cannot go to a bookmark.</summary>
public sealed class BookmarkNotStoredException(Bookmark? bookmark, DatabaseId database, string reason) : Exception(
    $"The state {(bookmark is { } known ? $"at bookmark {known}" : "")} of database {database} cannot be built from cold storage: {reason}. Nothing was changed.");
