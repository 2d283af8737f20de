using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>Makes the entry for captured pages: a patch of each page whose last image is at hand, the page itself of the others.</summary>
/// <remarks>
/// The images are those of exactly one position, the end of the last entry that was made here. An entry behind any other position finds the cache emptied; so nothing
/// that was captured and not appended can become the base of a patch, whatever failed in between, and nothing lives on from one leadership into the next.
/// For the writer's turns.
/// </remarks>
public sealed class EntryEncoder(ImageBudget budget) : IDisposable
{
    private readonly ImageCache _images = new(budget);
    private Position? _at; // what the images show; null when nothing is known
    private uint _sizePages;

    /// <summary>Images at hand.</summary>
    public int Images => _images.Count;

    /// <summary>Makes an entry. Its images count from now on: it has to be the next one in the log.</summary>
    public Entry Encode(in EntryHeader header, PageSet pages)
    {
        var isNext = _at == header.Predecessor;
        _at = null;
        if (!isNext)
        {
            _images.Clear();
        }
        else if (header.DatabaseSizePages < _sizePages)
        {
            _images.CutTo(header.DatabaseSizePages); // a page that comes there again is another one
        }

        _images.Trim();
        var entry = Build(header, pages);
        _sizePages = header.DatabaseSizePages;
        _at = entry.End;
        return entry;
    }

    /// <summary>What was encoded last did not become part of the log, or may not have.</summary>
    public void Forget()
    {
        _at = null;
        _images.Clear();
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => Forget();

    private Entry Build(in EntryHeader header, PageSet pages)
    {
        var builder = new EntryBuilder(header, pages.Count);
        var keeps = _images.HasRoomFor(pages.Count, pages.PageSizeBytes); // a transaction larger than the cache would leave only its own last pages there
        for (var i = 0; i < pages.Count; i++)
        {
            var number = pages.PageNumber(i);
            var image = pages.Page(i);
            if (_images.Find(number) is { } before)
            {
                var checksum = Crc32C.Of(image);
                builder.AddPatch(number, before.Bytes, before.Checksum, image, checksum);
                before.Set(image, checksum);
                continue;
            }

            builder.AddPage(number, image);
            if (keeps)
            {
                _images.Add(number, image, Crc32C.Of(image));
            }
        }

        return builder.Build();
    }
}
