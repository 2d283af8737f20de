using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>One page as an entry holds it. <paramref name="Data"/> lies in the entry's own bytes.</summary>
/// <param name="PageNumber">From 1 on.</param>
/// <param name="Kind">What <paramref name="Data"/> is.</param>
/// <param name="Data">A whole page, or ranges.</param>
/// <param name="Before">Of a patch: CRC-32C of the page that it is for.</param>
/// <param name="After">Of a patch: CRC-32C of the page that it makes.</param>
public readonly record struct PageRecord(uint PageNumber, PageKind Kind, ReadOnlyMemory<byte> Data, uint Before, uint After)
{
    /// <summary>It says only what changed: the page's previous version is needed.</summary>
    public bool IsPatch => Kind == PageKind.Patch;

    /// <summary>Sets the page's bytes without looking at the checksums: for replay over a page that may be newer than the record.</summary>
    /// <param name="page">A page's size; the previous version if this is a patch.</param>
    public void ApplyTo(Span<byte> page)
    {
        if (Kind == PageKind.Whole)
        {
            Data.Span.CopyTo(page);
            return;
        }

        if (Kind == PageKind.Sparse)
        {
            page.Clear();
        }

        PageRanges.Apply(Data.Span, page);
    }

    /// <summary>Sets the page's bytes, for a copy that is exactly at the predecessor's position.</summary>
    /// <param name="page">A page's size; the previous version if this is a patch.</param>
    /// <param name="entry">Where the record comes from, for the error.</param>
    /// <exception cref="PageMismatchException">The page is not what the patch was made for.</exception>
    public void ApplyChecked(Span<byte> page, Entry entry) => ApplyChecked(page, entry.End);

    /// <summary>The same for a record that may stand for a stretch of entries.</summary>
    /// <param name="page">A page's size; the previous version if this is a patch.</param>
    /// <param name="end">Where the stretch ends, for the error.</param>
    /// <exception cref="PageMismatchException">The page is not what the patch was made for.</exception>
    public void ApplyChecked(Span<byte> page, Position end)
    {
        if (IsPatch && Crc32C.Of(page) is var found && found != Before)
        {
            throw new PageMismatchException(PageNumber, end, "before", found, Before);
        }

        ApplyTo(page);
        if (IsPatch && Crc32C.Of(page) is var made && made != After)
        {
            throw new PageMismatchException(PageNumber, end, "after", made, After);
        }
    }
}
