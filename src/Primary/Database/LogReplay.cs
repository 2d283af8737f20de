using Microsoft.Win32.SafeHandles;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Sets the pages of entries in a main file, with no connection open on it.</summary>
/// <remarks>
/// Not through SQLite: a checkpoint that a crash cut short leaves a mixture, in which the header on page 1 may already speak of pages that the file does not have
/// yet. SQLite refuses to open that, and need not: pages and ranges are set, in order, and at the end the file is exactly the state of the last entry.
/// Only entries that are confirmed come here: the epoch entry of the leadership that replays them is.
/// </remarks>
internal sealed class LogReplay : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly PageReplay _replay;
    private byte[] _page = []; // the one that is being made

    /// <summary>Opens the file.</summary>
    /// <param name="path">The main file.</param>
    /// <param name="to">Its pages may be as new as this; from there on each patch is checked.</param>
    public LogReplay(string path, Position to)
    {
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        _replay = new PageReplay(to);
    }

    /// <summary>The database's size after the last entry; 0 before the first.</summary>
    public uint SizePages { get; private set; }

    private int PageSizeBytes => _page.Length;

    /// <summary>Sets an entry's pages.</summary>
    /// <exception cref="PageMismatchException">The file is not what the log says: it must not be opened.</exception>
    public void Apply(Entry entry)
    {
        if (PageSizeBytes != entry.Header.PageSizeBytes)
        {
            _page = new byte[entry.Header.PageSizeBytes];
        }

        _replay.Begin(entry);
        var shrinks = entry.Header.DatabaseSizePages < SizePages;
        SizePages = entry.Header.DatabaseSizePages;
        if (shrinks)
        {
            RandomAccess.SetLength(_file, (long)SizePages * PageSizeBytes); // what grows there again does not begin with old bytes
        }

        foreach (var record in entry.Pages)
        {
            if (record.IsPatch)
            {
                Read(record.PageNumber, _page);
            }

            _replay.Set(entry, record, _page);
            RandomAccess.Write(_file, _page, OffsetOf(record.PageNumber));
        }

        _replay.End(entry, Read);
    }

    /// <summary>Gives the file its size, and brings everything to the disk.</summary>
    public void Finish()
    {
        if (SizePages > 0)
        {
            RandomAccess.SetLength(_file, (long)SizePages * PageSizeBytes);
        }

        RandomAccess.FlushToDisk(_file);
    }

    public void Dispose() => _file.Dispose();

    // A page that the mixture does not have yet reads as zeros.
    private void Read(uint pageNumber, byte[] page)
    {
        var offset = OffsetOf(pageNumber);
        var done = 0;
        for (var count = -1; done < page.Length && count != 0; done += count)
        {
            count = RandomAccess.Read(_file, page.AsSpan(done), offset + done);
        }

        page.AsSpan(done).Clear();
    }

    private long OffsetOf(uint pageNumber) => (long)(pageNumber - 1) * PageSizeBytes;
}
