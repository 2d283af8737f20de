using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>Writes a streamed snapshot into a temporary file beside the copy, and checks it. The copy is untouched until <see cref="Install"/>.</summary>
public sealed class SnapshotReceiver : IDisposable
{
    private readonly string _path;
    private readonly string _temporary;
    private FileStream? _file;
    private uint _checksum = uint.MaxValue; // a CRC-32C under way
    private uint _pageCount;
    private uint _nextPage = 1;

    /// <param name="path">The copy's file; the temporary one lies beside it.</param>
    public SnapshotReceiver(string path)
    {
        _path = path;
        _temporary = path + ".snapshot";
    }

    /// <summary>Where in the log it stands. Known from the first part on.</summary>
    public Position Position { get; private set; }

    /// <summary>When the last entry that it shows was committed. Known from the first part on.</summary>
    public long CommitTimeMicroseconds { get; private set; }

    /// <summary>Bytes of a page. Known from the first part on.</summary>
    public int PageSizeBytes { get; private set; }

    /// <summary>Takes the next part.</summary>
    /// <returns><see langword="true"/> when it was the last, and everything is complete and on disk.</returns>
    /// <exception cref="InvalidDataException">Parts are missing, or their bytes are not what was sent.</exception>
    public bool Add(SubscribeResponse.Types.SnapshotPart part)
    {
        ArgumentNullException.ThrowIfNull(part);
        _file ??= Begin(part);
        var pages = part.Pages.Span;
        if (part.FirstPage != 0)
        {
            var expected = _nextPage == LockPage ? _nextPage + 1 : _nextPage;
            if (part.FirstPage != expected || pages.Length % PageSizeBytes != 0)
            {
                throw new InvalidDataException($"The snapshot goes on with page {part.FirstPage} ({pages.Length} bytes); page {expected} in whole pages was expected.");
            }

            _file.Position = (long)(part.FirstPage - 1) * PageSizeBytes; // leaves a hole where the lock page is
            _file.Write(pages);
            _checksum = Crc32C.Append(_checksum, pages);
            _nextPage = part.FirstPage + (uint)(pages.Length / PageSizeBytes);
        }

        if (!part.Last)
        {
            return false;
        }

        Finish(part.Crc32C);
        return true;
    }

    /// <summary>Puts the snapshot in the copy's place. No connection is open on it.</summary>
    /// <param name="database">Whose it is.</param>
    /// <param name="state">What is known of the log up to the snapshot, or beyond.</param>
    /// <param name="to">Its pages may be as new as this; <see langword="null"/>: it is exactly the snapshot's position.</param>
    public void Install(DatabaseId database, LogState state, Position? to = null)
    {
        LogStateFile.Write(LogStateFile.PathOf(_path), state); // first: the sidecar vouches for it
        LocalFile.Install(_path, _temporary, new Sidecar(database, Position, to ?? Position));
    }

    /// <summary>Forgets what is not installed.</summary>
    public void Dispose()
    {
        _file?.Dispose();
        File.Delete(_temporary);
    }

    private uint LockPage => (uint)((1 << 30) / PageSizeBytes) + 1;

    private FileStream Begin(SubscribeResponse.Types.SnapshotPart part)
    {
        Position = part.Position.ToPosition();
        PageSizeBytes = (int)part.PageSize;
        _pageCount = part.PageCount;
        CommitTimeMicroseconds = part.CommitTimeUs;
        if (PageSizeBytes is < 512 or > 65536 || _pageCount == 0)
        {
            throw new InvalidDataException($"The snapshot claims {_pageCount} pages of {PageSizeBytes} bytes; its first part is missing or damaged.");
        }

        return new FileStream(_temporary, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
    }

    private void Finish(uint checksum)
    {
        var pages = _nextPage - 1 == _pageCount || (_nextPage == LockPage && _pageCount == LockPage);
        if (!pages || checksum != ~_checksum)
        {
            throw new InvalidDataException(
                $"The snapshot ended behind page {_nextPage - 1} of {_pageCount} with CRC-32C {~_checksum:x8}; the sender says {checksum:x8}.");
        }

        _file!.SetLength((long)_pageCount * PageSizeBytes);
        _file.Flush(flushToDisk: true);
        _file.Dispose();
    }
}
