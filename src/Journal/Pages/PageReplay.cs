using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>Sets the pages of entries in a copy, and checks what can be checked: a patch needs a page that is exactly as old as the entry before.</summary>
/// <remarks>
/// While the copy's file may be newer than the entry, at positions before <paramref name="to"/>, patches are set unchecked: each byte ends as the last patch that names it
/// has it. Of each page the last checksum is kept, and checked when <paramref name="to"/> is reached. One thread.
/// </remarks>
/// <param name="to">The file's pages may be as new as this.</param>
public sealed class PageReplay(Position to)
{
    private readonly Dictionary<uint, uint> _unchecked = []; // page, and the checksum it must have in the end
    private uint _sizePages;

    /// <summary>An entry begins; its pages follow.</summary>
    public void Begin(Entry entry) => Begin(entry.Header.DatabaseSizePages);

    /// <summary>A stretch of the log begins, in which the database has at least so many pages; its records follow.</summary>
    public void Begin(uint sizePages)
    {
        if (_unchecked.Count > 0 && sizePages < _sizePages)
        {
            foreach (var page in _unchecked.Keys.Where(page => page > sizePages).ToList())
            {
                _unchecked.Remove(page); // it has gone; another of this number comes whole
            }
        }

        _sizePages = sizePages;
    }

    /// <summary>Makes one page of the entry.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="record">Its record.</param>
    /// <param name="page">If the record is a patch: the page as the copy has it. A page's size.</param>
    /// <exception cref="PageMismatchException">The page is not what the patch was made for.</exception>
    public void Set(Entry entry, in PageRecord record, Span<byte> page) => Set(entry.Predecessor, entry.End, record, page);

    /// <summary>The same for a record of a stretch of entries.</summary>
    /// <param name="from">Where the stretch begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="record">Its record.</param>
    /// <param name="page">If the record is a patch: the page as the copy has it. A page's size.</param>
    /// <exception cref="PageMismatchException">The page is not what the patch was made for.</exception>
    public void Set(Position from, Position end, in PageRecord record, Span<byte> page)
    {
        if (from >= to)
        {
            record.ApplyChecked(page, end);
            return;
        }

        record.ApplyTo(page);
        if (record.IsPatch)
        {
            _unchecked[record.PageNumber] = record.After;
        }
        else
        {
            _unchecked.Remove(record.PageNumber);
        }
    }

    /// <summary>The entry's pages are set. At the position from which all is exact, what was not checked on the way is checked now.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="read">Reads a page of the copy, with the entry in it, into a span of the page's size.</param>
    /// <exception cref="PageMismatchException">A page is not what the log says.</exception>
    public void End(Entry entry, Action<uint, byte[]> read) => End(entry.End, entry.Header.PageSizeBytes, read);

    /// <summary>The same for a stretch of entries.</summary>
    /// <param name="end">Where it ends.</param>
    /// <param name="pageSizeBytes">Of its pages.</param>
    /// <param name="read">Reads a page of the copy, with the stretch in it, into a span of the page's size.</param>
    /// <exception cref="PageMismatchException">A page is not what the log says.</exception>
    public void End(Position end, int pageSizeBytes, Action<uint, byte[]> read)
    {
        if (end < to || _unchecked.Count == 0)
        {
            return;
        }

        var page = new byte[pageSizeBytes];
        foreach (var (number, checksum) in _unchecked)
        {
            read(number, page);
            if (Crc32C.Of(page) is var found && found != checksum)
            {
                throw new PageMismatchException(number, end, "after", found, checksum);
            }
        }

        _unchecked.Clear();
    }
}
