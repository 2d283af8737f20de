using Microsoft.Win32.SafeHandles;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Sets the pages of entries in a main file, with no connection open on it.</summary>
/// <remarks>
/// Not through SQLite: a checkpoint that a crash cut short leaves a mixture, in which the header on page 1 may already speak of pages that the file does not have
/// yet. SQLite refuses to open that, and need not: pages and ranges are set, in order, and at the end the file is exactly the state of the last entry.
/// Only entries that are confirmed come here: the epoch entry of the leadership that replays them is. Pages that were set are kept for a while, since a log often
/// sets the same few.
/// </remarks>
internal sealed class LogReplay : IDisposable
{
    private const int MaxSetPages = 256; // then all of them are written

    private readonly SafeFileHandle _file;
    private readonly PageReplay _replay;
    private readonly Dictionary<uint, byte[]> _set = []; // by number: the file does not have them yet
    private long _length; // of the file, without those

    /// <summary>Opens the file.</summary>
    /// <param name="path">The main file.</param>
    /// <param name="to">Its pages may be as new as this; from there on each patch is checked.</param>
    public LogReplay(string path, Position to)
    {
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        _replay = new PageReplay(to);
        _length = RandomAccess.GetLength(_file);
    }

    /// <summary>The database's size after the last entry; 0 before the first.</summary>
    public uint SizePages { get; private set; }

    private int PageSizeBytes { get; set; }

    /// <summary>Sets an entry's pages.</summary>
    /// <exception cref="PageMismatchException">The file is not what the log says: it must not be opened.</exception>
    public void Apply(Entry entry)
    {
        PageSizeBytes = entry.Header.PageSizeBytes; // a database's never changes
        _replay.Begin(entry);
        var shrinks = entry.Header.DatabaseSizePages < SizePages;
        SizePages = entry.Header.DatabaseSizePages;
        if (shrinks || (SizePages > 0 && _length > (long)SizePages * PageSizeBytes)) // the first entry too may shrink what is in the file
        {
            Write();
            SetLength(); // what grows there again does not begin with old bytes
        }

        foreach (var record in entry.Pages)
        {
            _replay.Set(entry, record, PageOf(record));
        }

        _replay.End(entry, Read);
    }

    /// <summary>Gives the file its size, and brings everything to the disk.</summary>
    /// <param name="syncs">Else it is in the system's hands.</param>
    public void Finish(bool syncs)
    {
        Write();
        if (SizePages > 0)
        {
            SetLength();
        }

        if (syncs)
        {
            RandomAccess.FlushToDisk(_file);
        }
    }

    public void Dispose() => _file.Dispose();

    private byte[] PageOf(in PageRecord record)
    {
        if (_set.TryGetValue(record.PageNumber, out var page))
        {
            return page;
        }

        if (_set.Count == MaxSetPages)
        {
            Write();
        }

        page = GC.AllocateUninitializedArray<byte>(PageSizeBytes);
        if (record.IsPatch)
        {
            Read(record.PageNumber, page);
        }

        _set.Add(record.PageNumber, page);
        return page;
    }

    private void Write()
    {
        foreach (var (number, page) in _set)
        {
            RandomAccess.Write(_file, page, OffsetOf(number));
            _length = Math.Max(_length, OffsetOf(number) + page.Length);
        }

        _set.Clear();
    }

    private void SetLength()
    {
        _length = (long)SizePages * PageSizeBytes;
        RandomAccess.SetLength(_file, _length);
    }

    // A page that the mixture does not have yet reads as zeros.
    private void Read(uint pageNumber, byte[] page)
    {
        if (_set.TryGetValue(pageNumber, out var set))
        {
            set.CopyTo(page, 0);
            return;
        }

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
