using System.Buffers.Binary;

namespace ReplicatedSqlite.Simulation;

/// <summary>What stands in the pages: the last write on page 1, then rows, then the keys of requests. A row holds the number of the write that set it, and its sequence.</summary>
internal static class Tables
{
    public const int Rows = 40;
    public const int MaxKeys = 512;

    private const int RowsPerPage = 16;
    private const int RowBytes = PageImage.PageSize / RowsPerPage;
    private const int FirstRowPage = 2;
    private const int KeysPerPage = PageImage.PageSize / 16;
    private const int FirstKeyPage = FirstRowPage + ((Rows + RowsPerPage - 1) / RowsPerPage);

    public static int LastWrite(PageImage image) => Read(image[1], 0);

    public static int Row(PageImage image, int row) => Read(image[FirstRowPage + (row / RowsPerPage)], row % RowsPerPage * RowBytes);

    /// <summary>The write that ran under a key, or 0.</summary>
    public static int Key(PageImage image, int key) => Read(image[FirstKeyPage + (key / KeysPerPage)], key % KeysPerPage * 16);

    /// <summary>Carries a write out on a copy of the pages that it changes.</summary>
    /// <param name="image">Changed in place.</param>
    /// <param name="changed">Pages that are this transaction's own already.</param>
    public static void Write(PageImage image, SortedSet<int> changed, int write, int row, int key, ulong sequence)
    {
        BinaryPrimitives.WriteInt64LittleEndian(Own(image, changed, 1), write);
        Put(image, changed, FirstRowPage + (row / RowsPerPage), row % RowsPerPage * RowBytes, write, sequence);
        if (key >= 0)
        {
            Put(image, changed, FirstKeyPage + (key / KeysPerPage), key % KeysPerPage * 16, write, sequence);
        }
    }

    private static void Put(PageImage image, SortedSet<int> changed, int page, int offset, int write, ulong sequence)
    {
        var bytes = Own(image, changed, page).AsSpan(offset);
        BinaryPrimitives.WriteInt64LittleEndian(bytes, write);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], sequence);
    }

    private static byte[] Own(PageImage image, SortedSet<int> changed, int page)
    {
        if (changed.Add(page))
        {
            var old = image[page];
            var bytes = new byte[PageImage.PageSize];
            old.CopyTo(bytes);
            image.Set(page, bytes);
        }

        return image.Pages[page - 1]!;
    }

    private static int Read(ReadOnlySpan<byte> page, int offset) => page.IsEmpty ? 0 : (int)BinaryPrimitives.ReadInt64LittleEndian(page[offset..]);
}
