using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace ReplicatedSqlite.D1Api;

/// <summary>The files of imports and exports on this node. They go after an hour, and the oldest sooner when there are too many.</summary>
/// <remarks>Safe for use by any thread.</remarks>
internal sealed class StoredFiles
{
    private const int MostFiles = 64;
    private static readonly TimeSpan _between = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, StoredFile> _files = [];
    private readonly string _folder;
    private readonly TimeProvider _time;

    /// <param name="folder">For them; it is there.</param>
    /// <param name="time">Clock.</param>
    /// <param name="stopping">The node goes.</param>
    public StoredFiles(string folder, TimeProvider time, CancellationToken stopping)
    {
        _folder = folder;
        _time = time;
        var timer = time.CreateTimer(_ => RemoveOld(), null, _between, _between);
        stopping.UnsafeRegister(static state => ((ITimer)state!).Dispose(), timer);
    }

    /// <summary>A new one, which is not there yet.</summary>
    /// <exception cref="ApiException">There are too many, all in use.</exception>
    public StoredFile Add(string databaseId, string etag)
    {
        RemoveOld();
        var name = $"{databaseId}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}.sql"; // as D1's
        var file = new StoredFile(name, Path.Combine(_folder, "d1-" + name), databaseId, etag, _time.GetTimestamp());
        lock (_gate)
        {
            if (_files.Count >= MostFiles)
            {
                var oldest = _files.Values.Where(other => other.IsIdle).MinBy(other => other.MadeAt)
                    ?? throw new ApiException(StatusCodes.Status429TooManyRequests, ApiCodes.Overloaded, $"{MostFiles} imports and exports are under way on this node. Try again later.");
                Remove(oldest);
            }

            _files.Add(name, file);
        }

        return file;
    }

    /// <summary>One by its name; <see langword="null"/> if it is not there, or not any more.</summary>
    public StoredFile? Find(string name)
    {
        lock (_gate)
        {
            return _files.GetValueOrDefault(name);
        }
    }

    /// <summary>What was uploaded for a database and is complete.</summary>
    public StoredFile? FindUpload(string databaseId, string etag)
    {
        lock (_gate)
        {
            return _files.Values.FirstOrDefault(file => file.IsComplete && file.DatabaseId == databaseId && file.Etag == etag);
        }
    }

    private void RemoveOld()
    {
        lock (_gate)
        {
            foreach (var file in _files.Values.Where(file => file.IsIdle && _time.GetElapsedTime(file.MadeAt) > SignedUrls.Lifetime).ToList())
            {
                Remove(file);
            }
        }
    }

    private void Remove(StoredFile file)
    {
        _files.Remove(file.Name);
        File.Delete(file.Path);
    }
}
