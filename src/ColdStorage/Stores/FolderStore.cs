using System.Runtime.CompilerServices;
using ReplicatedSqlite.Journal;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Objects as files of a folder, which may lie on another disk or a network mount. Several processes may use it.</summary>
/// <remarks>A file is written under a temporary name, synced, renamed, and its folder synced: a name leads to the whole object or to nothing, also after a power cut.</remarks>
public sealed class FolderStore : IObjectStore
{
    private const string TemporaryPrefix = "."; // no object name begins so
    private const int NoSpaceLeft = 28;
    private static readonly TimeSpan _abandonedAfter = TimeSpan.FromHours(1);
    private static readonly FileSystemDisk _disk = new();
    private static long _temporaries; // by Interlocked

    private readonly string _root;
    private readonly TimeProvider _time;

    /// <summary>Takes a folder, making it durably if it is missing.</summary>
    public FolderStore(string folder, TimeProvider time)
    {
        _root = Path.GetFullPath(folder);
        _time = time;
        _disk.CreateFolder(_root);
    }

    /// <inheritdoc/>
    public string Description => $"the folder '{_root}'";

    /// <inheritdoc/>
    public Task<bool> PutAsync(string name, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellationToken = default) => RunAsync(
        name,
        "store",
        path =>
        {
            if (File.Exists(path))
            {
                return false;
            }

            Write(path, parts, cancellationToken);
            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task ReplaceAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default) => RunAsync(
        name,
        "replace",
        path =>
        {
            Write(path, [content], cancellationToken);
            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task ReadAsync(string name, long offset, Memory<byte> target, CancellationToken cancellationToken = default) => RunAsync(
        name,
        "read",
        path =>
        {
            using var file = Open(name, path);
            var done = 0;
            while (done < target.Length)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var read = RandomAccess.Read(file, target.Span[done..], offset + done);
                if (read == 0)
                {
                    throw new ObjectDamagedException(name, $"it ends at byte {offset + done}; {target.Length} bytes from {offset} were wanted");
                }

                done += read;
            }

            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<StoredObject?> FindAsync(string name, CancellationToken cancellationToken = default) => RunAsync<StoredObject?>(
        name,
        "find",
        path => new FileInfo(path) is { Exists: true } file ? new StoredObject(name, file.Length, file.LastWriteTimeUtc) : null,
        cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredObject> ListAsync(
        string prefix, string after = "", [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ObjectName.CheckPrefix(prefix);
        var found = await Task.Run(() => List(prefix, after), cancellationToken);
        foreach (var item in found)
        {
            yield return item;
        }
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string name, CancellationToken cancellationToken = default) => RunAsync(
        name,
        "delete",
        path =>
        {
            if (File.Exists(path))
            {
                File.Delete(path);
                _disk.SyncFolder(Path.GetDirectoryName(path)!);
            }

            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static Microsoft.Win32.SafeHandles.SafeFileHandle OpenRead(string path) =>
        File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    private Microsoft.Win32.SafeHandles.SafeFileHandle Open(string name, string path)
    {
        try
        {
            return OpenRead(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ObjectMissingException(name, Description);
        }
    }

    private List<StoredObject> List(string prefix, string after)
    {
        var found = new List<StoredObject>();
        try
        {
            Collect(Path.Combine(_root, prefix), prefix, after, found);
        }
        catch (DirectoryNotFoundException)
        {
            // Nothing has been stored there yet.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed("list", prefix, e);
        }

        found.Sort(static (left, right) => string.CompareOrdinal(left.Name, right.Name));
        return found;
    }

    private void Collect(string folder, string prefix, string after, List<StoredObject> found)
    {
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            var name = prefix + entry.Name;
            if (entry is DirectoryInfo)
            {
                Collect(entry.FullName, name + "/", after, found);
            }
            else if (entry.Name.StartsWith(TemporaryPrefix, StringComparison.Ordinal))
            {
                RemoveAbandoned((FileInfo)entry);
            }
            else if (string.CompareOrdinal(name, after) > 0)
            {
                try
                {
                    found.Add(new StoredObject(name, ((FileInfo)entry).Length, entry.LastWriteTimeUtc));
                }
                catch (FileNotFoundException)
                {
                    // Deleted since its name was read.
                }
            }
        }
    }

    // What a crash left of a write. One that is still under way is younger.
    private void RemoveAbandoned(FileInfo temporary)
    {
        if (_time.GetUtcNow() - temporary.LastWriteTimeUtc > _abandonedAfter)
        {
            temporary.Delete();
        }
    }

    private static void Write(string path, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellationToken)
    {
        var folder = Path.GetDirectoryName(path)!;
        _disk.CreateFolder(folder);
        var temporary = Path.Combine(folder, $"{TemporaryPrefix}{Environment.ProcessId}-{Interlocked.Increment(ref _temporaries)}-{Guid.NewGuid():n}");
        try
        {
            using (var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                long offset = 0;
                foreach (var part in parts)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    RandomAccess.Write(file, part.Span, offset);
                    offset += part.Length;
                }

                RandomAccess.FlushToDisk(file);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        _disk.SyncFolder(folder);
    }

    private async Task<T> RunAsync<T>(string name, string doing, Func<string, T> action, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        try
        {
            return await Task.Run(() => action(Path.Combine(_root, name)), cancellationToken);
        }
        catch (Exception e) when (e is (IOException or UnauthorizedAccessException) and not ObjectStoreException)
        {
            throw Failed(doing, name, e);
        }
    }

    private ObjectStoreException Failed(string doing, string name, Exception reason) => new(
        (reason.HResult & 0xFFFF) == NoSpaceLeft
            ? $"Could not {doing} '{name}' in {Description}: no room is left on its disk."
            : $"Could not {doing} '{name}' in {Description}: {reason.Message}",
        isTransient: true,
        reason);
}
