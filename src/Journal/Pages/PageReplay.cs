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
    public void Begin(Entry entry)
    {
        var sizePages = entry.Header.DatabaseSizePages;
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
    public void Set(Entry entry, in PageRecord record, Span<byte> page)
    {
        if (entry.Predecessor >= to)
        {
            record.ApplyChecked(page, entry);
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
    public void End(Entry entry, Action<uint, byte[]> read)
    {
        if (entry.End < to || _unchecked.Count == 0)
        {
            return;
        }

        var page = new byte[entry.Header.PageSizeBytes];
        foreach (var (number, checksum) in _unchecked)
        {
            read(number, page);
            if (Crc32C.Of(page) is var found && found != checksum)
            {
                throw new PageMismatchException(number, entry.End, "after", found, checksum);
            }
        }

        _unchecked.Clear();
    }
}
