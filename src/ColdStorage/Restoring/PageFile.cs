using Microsoft.Win32.SafeHandles;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>A database file that is being made of chunks, segments and entries, without SQLite. No connection is open on it.</summary>
internal sealed class PageFile : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly PageReplay _replay;
    private readonly byte[] _page;
    private readonly ColdRestoreOptions _options;
    private long _length;

    /// <summary>Opens the file, making it if it is missing.</summary>
    /// <param name="path">The file.</param>
    /// <param name="pageSizeBytes">Of its pages.</param>
    /// <param name="to">Its pages may be as new as this; from there on each patch is checked.</param>
    /// <param name="options">Whether it is synced.</param>
    public PageFile(string path, int pageSizeBytes, Position to, ColdRestoreOptions options)
    {
        _options = options;
        _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite);
        _replay = new PageReplay(to);
        _page = new byte[pageSizeBytes];
        _length = RandomAccess.GetLength(_file);
    }

    /// <summary>Writes consecutive pages. Safe for several threads at a time, while nothing else is done.</summary>
    public void WritePages(uint firstPage, uint count, ReadOnlySpan<byte> pages)
    {
        _options.AtDisk?.Invoke(DiskStep.Write);
        var lockPage = EntryLimits.LockPage(_page.Length);
        if (lockPage < firstPage || lockPage >= firstPage + count)
        {
            RandomAccess.Write(_file, pages, OffsetOf(firstPage));
            return;
        }

        var before = (int)(lockPage - firstPage) * _page.Length;
        RandomAccess.Write(_file, pages[..before], OffsetOf(firstPage));
        RandomAccess.Write(_file, pages[before..], OffsetOf(lockPage + 1));
    }

    /// <summary>Gives the file a size in pages; what is new reads as zeros.</summary>
    public void SetSize(uint pages)
    {
        _options.AtDisk?.Invoke(DiskStep.SetSize);
        _length = (long)pages * _page.Length;
        RandomAccess.SetLength(_file, _length);
    }

    /// <summary>Sets an entry's pages.</summary>
    /// <exception cref="PageMismatchException">The file is not what the log says.</exception>
    public void Apply(Entry entry)
    {
        var sizePages = entry.Header.DatabaseSizePages;
        Begin(sizePages);
        foreach (var record in entry.Pages)
        {
            Set(entry.Predecessor, entry.End, record);
        }

        End(entry.End, sizePages);
    }

    /// <summary>Sets the pages of a segment.</summary>
    /// <exception cref="PageMismatchException">The file is not what the log says.</exception>
    public void Apply(SegmentFooter segment, IEnumerable<PageRecord> pages)
    {
        Begin(segment.LeastSizePages);
        Begin(segment.SizePages);
        foreach (var record in pages)
        {
            Set(segment.First, segment.Last, record);
        }

        End(segment.Last, segment.SizePages);
    }

    public void Sync()
    {
        if (!_options.IsSynced)
        {
            return;
        }

        _options.AtDisk?.Invoke(DiskStep.Sync);
        RandomAccess.FlushToDisk(_file);
        _options.AtDisk?.Invoke(DiskStep.Synced);
    }

    public void Dispose() => _file.Dispose();

    // What is cut off here and grows again begins as zeros, on every copy. In a mixture what is newer is cut off too, and comes again.
    private void Begin(uint sizePages)
    {
        _replay.Begin(sizePages);
        if ((long)sizePages * _page.Length < _length)
        {
            SetSize(sizePages);
        }
    }

    private void Set(Position from, Position end, in PageRecord record)
    {
        if (record.IsPatch)
        {
            Read(record.PageNumber, _page);
        }

        _replay.Set(from, end, record, _page);
        _options.AtDisk?.Invoke(DiskStep.Write);
        RandomAccess.Write(_file, _page, OffsetOf(record.PageNumber));
        _length = Math.Max(_length, OffsetOf(record.PageNumber) + _page.Length);
    }

    private void End(Position end, uint sizePages)
    {
        if ((long)sizePages * _page.Length != _length)
        {
            SetSize(sizePages);
        }

        _replay.End(end, _page.Length, Read);
    }

    // A page that the mixture does not have yet reads as zeros.
    private void Read(uint pageNumber, byte[] page)
    {
        var done = 0;
        for (var count = -1; done < page.Length && count != 0; done += count)
        {
            count = RandomAccess.Read(_file, page.AsSpan(done), OffsetOf(pageNumber) + done);
        }

        page.AsSpan(done).Clear();
    }

    private long OffsetOf(uint pageNumber) => (long)(pageNumber - 1) * _page.Length;
}
