namespace ReplicatedSqlite.Sqlite;

/// <summary>The final image of each page that a transaction changed, in order of page number. A buffer to be used again and again.</summary>
/// <remarks>
/// Not thread-safe. Of a page that was added several times the last image counts; pages beyond the database's end and the lock page are left out.
/// Images live in chunks of up to 1 MiB; <see cref="Clear"/> keeps the first for the next use and lets the rest go, so that one big transaction does not
/// stay in memory.
/// </remarks>
public sealed class PageSet
{
    private const int ChunkSizeBytes = 1 << 20;
    private const int FirstChunkSizeBytes = 16 << 10;

    private readonly List<byte[]> _chunks = [];
    private ulong[] _keys = new ulong[16]; // page number, then order of arrival: sorting brings the last image of a page to its end
    private (int Chunk, int Offset)[] _places = new (int, int)[16]; // by order of arrival
    private int _added;
    private int _count;
    private int _used; // bytes of the last chunk
    private bool _sorted = true;

    /// <summary>The database's size after the transaction.</summary>
    public uint DatabaseSizePages { get; private set; }

    /// <summary>Bytes of each image.</summary>
    public int PageSizeBytes { get; private set; }

    /// <summary>How many pages there are.</summary>
    public int Count
    {
        get
        {
            Sort();
            return _count;
        }
    }

    /// <summary>Empties the set and sets what the next pages belong to.</summary>
    public void Begin(int pageSizeBytes, uint databaseSizePages)
    {
        Clear();
        PageSizeBytes = pageSizeBytes;
        DatabaseSizePages = databaseSizePages;
    }

    /// <summary>Empties the set.</summary>
    public void Clear()
    {
        if (_chunks.Count > 1)
        {
            _chunks.RemoveRange(1, _chunks.Count - 1);
            Array.Resize(ref _keys, 16);
            Array.Resize(ref _places, 16);
        }

        (_added, _count, _used, _sorted) = (0, 0, 0, true);
        (PageSizeBytes, DatabaseSizePages) = (0, 0);
    }

    /// <summary>Adds a copy of an image.</summary>
    public void Add(uint pageNumber, ReadOnlySpan<byte> image)
    {
        if (image.Length != PageSizeBytes)
        {
            throw new ArgumentException($"Page {pageNumber} has {image.Length} bytes; the pages of this set have {PageSizeBytes}.", nameof(image));
        }

        image.CopyTo(Reserve(image.Length, out var chunk, out var offset));
        AddAt(pageNumber, chunk, offset);
    }

    /// <summary>The number of a page; <paramref name="index"/> counts from 0, in order of page number.</summary>
    public uint PageNumber(int index)
    {
        Sort();
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_count);
        return (uint)(_keys[index] >> 32);
    }

    /// <summary>The image of a page, valid until the set is cleared.</summary>
    public ReadOnlySpan<byte> Page(int index)
    {
        Sort();
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_count);
        var (chunk, offset) = _places[(uint)_keys[index]];
        return _chunks[chunk].AsSpan(offset, PageSizeBytes);
    }

    /// <summary>Room for raw bytes that hold images, e.g. frames as they lie in a WAL.</summary>
    internal Span<byte> Reserve(int bytes, out int chunk, out int offset)
    {
        if (_chunks.Count == 0 || _chunks[^1].Length - _used < bytes)
        {
            // The first chunk may be small: most transactions are. It is replaced, not kept, while it holds nothing.
            var size = Math.Max(_added == 0 && bytes <= FirstChunkSizeBytes ? FirstChunkSizeBytes : ChunkSizeBytes, bytes);
            if (_added == 0)
            {
                _chunks.Clear();
            }

            _chunks.Add(GC.AllocateUninitializedArray<byte>(size));
            _used = 0;
        }

        (chunk, offset) = (_chunks.Count - 1, _used);
        _used += bytes;
        return _chunks[chunk].AsSpan(offset, bytes);
    }

    /// <summary>Names the bytes of an image inside what was reserved.</summary>
    internal void AddAt(uint pageNumber, int chunk, int offset)
    {
        if (_added == _keys.Length)
        {
            Array.Resize(ref _keys, 2 * _added);
            Array.Resize(ref _places, 2 * _added);
        }

        _keys[_added] = ((ulong)pageNumber << 32) | (uint)_added;
        _places[_added] = (chunk, offset);
        _added++;
        _sorted = false;
    }

    private void Sort()
    {
        if (_sorted)
        {
            return;
        }

        if (_added > 1)
        {
            Array.Sort(_keys, 0, _added);
        }

        var lockPage = WalLayout.LockPage(PageSizeBytes);
        _count = 0;
        for (var i = 0; i < _added; i++)
        {
            var page = (uint)(_keys[i] >> 32);
            var isLast = i + 1 == _added || (uint)(_keys[i + 1] >> 32) != page;
            if (isLast && page != lockPage && page <= DatabaseSizePages)
            {
                _keys[_count++] = _keys[i];
            }
        }

        _sorted = true;
    }
}
