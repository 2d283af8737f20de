namespace ReplicatedSqlite.Sqlite;

/// <summary>The WAL-index in shared memory: what readers look at to find a page in the WAL.</summary>
/// <remarks>
/// Everything but <see cref="TryReadHeader"/> and <see cref="BackfilledFrames"/> is done under the write lock, by the one who holds it. Readers of any
/// process look on meanwhile: they ignore hash entries beyond the last frame of the header that they read, so inserting early is harmless.
/// Source: SQLite <c>wal.c</c>, <c>walIndexAppend</c>, <c>walCleanupHash</c>, <c>walIndexWriteHdr</c>.
/// </remarks>
internal sealed unsafe class WalIndex(SqliteFileObject file)
{
    private const int PagesPerBlock = 4096;
    private const int InfoOffset = 2 * WalIndexHeader.SizeBytes; // nBackfill, read marks, lock bytes
    private const int FirstBlockOffset = 136; // aPgno of block 0 begins behind both headers and the checkpoint's words
    private const int PagesInFirstBlock = PagesPerBlock - (FirstBlockOffset / sizeof(uint));
    private const int HashOffset = PagesPerBlock * sizeof(uint);
    private const int HashSlots = 2 * PagesPerBlock;
    private const uint HashFactor = 383;

    private readonly List<nint> _blocks = [file.MapBlock(0, extend: false)];

    /// <summary>Frames that are in the main file already (<c>nBackfill</c>).</summary>
    public uint BackfilledFrames => Volatile.Read(ref *(uint*)(_blocks[0] + InfoOffset));

    /// <summary>Reads the header as a reader does: both copies equal, checksum right.</summary>
    /// <returns><see langword="false"/> when somebody writes it right now, or it never was initialised.</returns>
    public bool TryReadHeader(out WalIndexHeader header)
    {
        Span<byte> copies = stackalloc byte[2 * WalIndexHeader.SizeBytes];
        var source = (byte*)_blocks[0];
        new ReadOnlySpan<byte>(source, WalIndexHeader.SizeBytes).CopyTo(copies);
        file.Barrier();
        new ReadOnlySpan<byte>(source + WalIndexHeader.SizeBytes, WalIndexHeader.SizeBytes).CopyTo(copies[WalIndexHeader.SizeBytes..]);
        header = default;
        return copies[..WalIndexHeader.SizeBytes].SequenceEqual(copies[WalIndexHeader.SizeBytes..]) && WalIndexHeader.TryRead(copies, out header);
    }

    /// <summary>Makes frames visible. A reader sees the old header or the new one, never a mixture.</summary>
    public void Publish(in WalIndexHeader header)
    {
        Span<byte> bytes = stackalloc byte[WalIndexHeader.SizeBytes];
        header.Write(bytes);
        var target = (byte*)_blocks[0];
        file.Barrier(); // hash entries and page numbers first
        bytes.CopyTo(new Span<byte>(target + WalIndexHeader.SizeBytes, WalIndexHeader.SizeBytes)); // the second copy first: readers start with copy 1
        file.Barrier();
        bytes.CopyTo(new Span<byte>(target, WalIndexHeader.SizeBytes));
        file.Barrier();
    }

    /// <summary>Notes that a frame holds a page. Frames come in order.</summary>
    /// <exception cref="InvalidDataException">The hash table of the block is full of entries that nobody made: the WAL-index is damaged.</exception>
    public void Insert(uint frame, uint page)
    {
        var (block, index) = Locate(frame);
        var pages = Pages(block, extend: true);
        var hash = Hash(block);
        if (index == 0)
        {
            // Whatever an earlier round of the WAL left in this block goes before its first entry comes.
            new Span<byte>(pages, (int)((byte*)(hash + HashSlots) - (byte*)pages)).Clear();
        }
        else if (pages[index] != 0)
        {
            Forget(frame - 1); // left by a writer that died in the middle of a transaction
        }

        var slot = (page * HashFactor) & (HashSlots - 1);
        for (var collisions = index + 1; hash[slot] != 0; slot = (slot + 1) & (HashSlots - 1))
        {
            if (collisions-- == 0)
            {
                throw new InvalidDataException($"The WAL-index is damaged: block {block} has no free slot for page {page}. Remove -wal and -shm and replay.");
            }
        }

        pages[index] = page;
        Volatile.Write(ref hash[slot], (ushort)(index + 1));
    }

    /// <summary>Removes the entries beyond a frame from its block; later blocks are cleared when their first entry comes.</summary>
    public void Forget(uint lastFrame)
    {
        if (lastFrame == 0)
        {
            return; // block 0 is cleared with the next first entry
        }

        var (block, index) = Locate(lastFrame);
        var pages = Pages(block, extend: false);
        var hash = Hash(block);
        for (var slot = 0; slot < HashSlots; slot++)
        {
            if (hash[slot] > index + 1)
            {
                Volatile.Write(ref hash[slot], 0);
            }
        }

        new Span<byte>(pages + index + 1, (int)((byte*)hash - (byte*)(pages + index + 1))).Clear();
    }

    /// <summary>The page that a frame holds.</summary>
    public uint PageOf(uint frame)
    {
        var (block, index) = Locate(frame);
        return Pages(block, extend: false)[index];
    }

    /// <summary>The newest frame that holds a page, up to a last one.</summary>
    /// <returns>0 when there is none: the page is in the main file, if anywhere.</returns>
    public uint FindFrame(uint page, uint lastFrame)
    {
        for (var (block, last) = lastFrame == 0 ? (-1, 0) : Locate(lastFrame); block >= 0; block--, last = PagesPerBlock - 1)
        {
            // Of a page that stands here several times each has a slot of its own; the newest is the one that counts.
            var pages = Pages(block, extend: false);
            var hash = Hash(block);
            var newest = 0;
            var slot = (page * HashFactor) & (HashSlots - 1);
            for (var probes = 0; hash[slot] != 0 && probes < HashSlots; probes++, slot = (slot + 1) & (HashSlots - 1))
            {
                var entry = (int)hash[slot];
                newest = entry > newest && entry <= last + 1 && pages[entry - 1] == page ? entry : newest;
            }

            if (newest > 0)
            {
                return (uint)newest + (block == 0 ? 0 : PagesInFirstBlock + ((uint)(block - 1) * PagesPerBlock));
            }
        }

        return 0;
    }

    private static (int Block, int Index) Locate(uint frame)
    {
        var zeroBased = frame - 1;
        return zeroBased < PagesInFirstBlock
            ? (0, (int)zeroBased)
            : ((int)((zeroBased - PagesInFirstBlock) / PagesPerBlock) + 1, (int)((zeroBased - PagesInFirstBlock) % PagesPerBlock));
    }

    private uint* Pages(int block, bool extend)
    {
        while (_blocks.Count <= block)
        {
            _blocks.Add(file.MapBlock(_blocks.Count, extend));
        }

        return (uint*)(_blocks[block] + (block == 0 ? FirstBlockOffset : 0));
    }

    private ushort* Hash(int block) => (ushort*)(_blocks[block] + HashOffset);
}
