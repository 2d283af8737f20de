using System.Collections.Immutable;
using System.Security.Cryptography;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Copies a main file's pages to the store, chunk by chunk at a bounded rate, while it is being written.</summary>
/// <remarks>
/// No snapshot of SQLite's is held and no lock: the WAL can be restarted meanwhile. What is read is what a crash would leave, a mixture of states between the sidecar's <i>from</i> before the
/// first page and its <i>to</i> behind the last, which the log makes whole. Holds one chunk in memory.
/// </remarks>
internal sealed class SnapshotTaker(IObjectStore store, UploadOptions options, TimeProvider time)
{
    private static readonly TimeSpan _longestRest = TimeSpan.FromSeconds(1);

    /// <param name="database">Whose.</param>
    /// <param name="file">The main file.</param>
    /// <param name="known">Chunks that a snapshot in the store has: those are not stored again.</param>
    /// <param name="cancellationToken">Gives up; what is stored already is used by the next try, or collected.</param>
    public async Task<TakenSnapshot> TakeAsync(
        DatabaseId database, IMainFile file, IReadOnlyDictionary<string, int> known, CancellationToken cancellationToken)
    {
        var pageSize = file.PageSizeBytes;
        var pagesPerChunk = (uint)Math.Max(1, options.ChunkBytes / pageSize);
        var lockPage = EntryLimits.LockPage(pageSize);
        var chunks = ImmutableArray.CreateBuilder<ChunkReference>();
        var buffer = new byte[pagesPerChunk * pageSize];
        var stored = new Dictionary<string, int>();
        var from = file.ReadMarks().From; // before the first page
        var started = time.GetTimestamp();
        long bytes = 0;
        uint size = 0;
        for (var isEnd = false; !isEnd;)
        {
            var began = time.GetTimestamp();
            var firstPage = ((uint)chunks.Count * pagesPerChunk) + 1;
            var count = await Task.Run(() => file.ReadPages(firstPage, buffer), cancellationToken);
            isEnd = count < pagesPerChunk;
            if (count == 0)
            {
                break;
            }

            size = firstPage + (uint)count - 1;
            var pages = WithoutLockPage(buffer.AsMemory(0, count * pageSize), firstPage, lockPage, pageSize);
            chunks.Add(await StoreAsync(database, pages, known, stored, cancellationToken));
            bytes += pages.Length;
            await HoldRateAsync(bytes, started, time.GetElapsedTime(began), cancellationToken);
        }

        var to = file.ReadMarks().To; // behind the last page
        await CheckAsync(database, stored, cancellationToken);
        return new TakenSnapshot(from, to < from ? from : to, pageSize, size, pagesPerChunk, chunks.ToImmutable());
    }

    // The lock page holds nothing, and is only where others would be. It lies in one chunk, which is taken apart and put together without it.
    private static ReadOnlyMemory<byte> WithoutLockPage(ReadOnlyMemory<byte> pages, uint firstPage, uint lockPage, int pageSize)
    {
        if (lockPage < firstPage || lockPage >= firstPage + (pages.Length / pageSize))
        {
            return pages;
        }

        var offset = (int)(lockPage - firstPage) * pageSize;
        return (byte[])[.. pages[..offset].Span, .. pages[(offset + pageSize)..].Span];
    }

    private async Task<ChunkReference> StoreAsync(
        DatabaseId database, ReadOnlyMemory<byte> pages, IReadOnlyDictionary<string, int> known, Dictionary<string, int> stored, CancellationToken cancellationToken)
    {
        var hash = SHA256.HashData(pages.Span);
        var name = ColdNames.Chunk(database, hash);
        if (known.TryGetValue(name, out var size) || stored.TryGetValue(name, out size))
        {
            return new ChunkReference([.. hash], size);
        }

        var parts = PageChunk.Write(pages, options.Compress);
        size = parts.Sum(static part => part.Length);
        if (!await store.PutAsync(name, parts, cancellationToken))
        {
            size = await TakeOverAsync(name, hash, pages.Length, parts, size, cancellationToken);
        }

        stored.Add(name, size);
        return new ChunkReference([.. hash], size);
    }

    // Another try has stored it, perhaps compressed otherwise, or the store kept less of it than it was given.
    private async Task<int> TakeOverAsync(
        string name, byte[] hash, int pageBytes, IReadOnlyList<ReadOnlyMemory<byte>> parts, int size, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(name, cancellationToken) is { } there)
        {
            try
            {
                var found = new ChunkReference([.. hash], (int)Math.Min(there.SizeBytes, int.MaxValue));
                await PageChunk.ReadAsync(store, name, found, pageBytes, cancellationToken);
                return found.StoredBytes;
            }
            catch (ObjectDamagedException)
            {
                await store.DeleteAsync(name, cancellationToken);
            }
        }

        await store.PutAsync(name, parts, cancellationToken);
        return size;
    }

    // A store that said well done and kept less, or nothing, is found out before anything rests on it.
    private async Task CheckAsync(DatabaseId database, Dictionary<string, int> stored, CancellationToken cancellationToken)
    {
        var missing = new Dictionary<string, int>(stored);
        if (stored.Count > 0)
        {
            await foreach (var item in store.ListAsync(ColdNames.Pages(database), cancellationToken: cancellationToken))
            {
                if (missing.Remove(item.Name, out var size) && size != item.SizeBytes)
                {
                    await store.DeleteAsync(item.Name, cancellationToken);
                    throw new ObjectStoreException($"The object '{item.Name}' has {item.SizeBytes} bytes where {size} were stored; it was deleted, to be stored again.", isTransient: true);
                }
            }
        }

        if (missing.Count > 0)
        {
            throw new ObjectStoreException($"The object '{missing.Keys.First()}' is not there, although it was stored.", isTransient: true);
        }
    }

    // A disk that takes long over a chunk has the writers' syncs to serve: it is left alone for as long again.
    private async Task HoldRateAsync(long bytes, long started, TimeSpan took, CancellationToken cancellationToken)
    {
        var ahead = TimeSpan.FromSeconds((double)bytes / options.SnapshotBytesPerSecond) - time.GetElapsedTime(started);
        took = took < _longestRest ? took : _longestRest;
        ahead = ahead > took ? ahead : took;
        if (ahead > TimeSpan.FromMilliseconds(10))
        {
            await Task.Delay(ahead, time, cancellationToken);
        }
    }
}

/// <summary>Pages that are stored, and have no name yet.</summary>
internal sealed record TakenSnapshot(Position From, Position To, int PageSizeBytes, uint SizePages, uint PagesPerChunk, ImmutableArray<ChunkReference> Chunks);
