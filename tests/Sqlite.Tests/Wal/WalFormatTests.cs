namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>Our readers and writers of WAL and WAL-index against the bytes that SQLite itself wrote.</summary>
public sealed class WalFormatTests
{
    public static TheoryData<int> PageSizes => [512, 1024, 4096, 32768, 65536];

    [Theory]
    [MemberData(nameof(PageSizes))]
    public void Every_header_and_checksum_that_SQLite_wrote_is_read_and_written_back_the_same(int pageSizeBytes)
    {
        using var folder = new TemporaryFolder();
        var (wal, index) = WriteWithSqlite(folder.File("a.db"), pageSizeBytes);

        Assert.True(WalHeader.TryRead(wal, out var header));
        Assert.Equal(pageSizeBytes, header.PageSizeBytes);
        var bytes = new byte[WalHeader.SizeBytes];
        WalHeader.Create(header.PageSizeBytes, header.CheckpointSequence, header.Salts).Write(bytes);
        Assert.Equal(wal[..WalHeader.SizeBytes], bytes);

        var (checksum, frames, size) = (header.Checksum, 0u, 0u);
        for (var offset = WalHeader.SizeBytes; offset < wal.Length; offset += WalLayout.FrameSizeBytes(pageSizeBytes))
        {
            Assert.True(WalFrameHeader.TryRead(wal.AsSpan(offset), out var frame));
            var image = wal.AsSpan(offset + WalFrameHeader.SizeBytes, pageSizeBytes);
            Assert.Equal(frame, WalFrameHeader.Create(checksum, frame.PageNumber, frame.DatabaseSizePages, header.Salts, image, header.BigEndianChecksums));
            Assert.Equal(offset, WalLayout.FrameOffset(++frames, pageSizeBytes));
            var written = new byte[WalFrameHeader.SizeBytes];
            frame.Write(written);
            Assert.Equal(wal[offset..(offset + WalFrameHeader.SizeBytes)], written);
            (checksum, size) = (frame.Checksum, frame.DatabaseSizePages);
        }

        Assert.True(WalIndexHeader.TryRead(index, out var indexHeader));
        Assert.Equal((header.Salts, frames, size, checksum, pageSizeBytes), (indexHeader.Salts, indexHeader.LastFrame, indexHeader.DatabaseSizePages, indexHeader.FrameChecksum, indexHeader.PageSizeBytes));
        Assert.Equal(WalLayout.WalSizeBytes(frames, pageSizeBytes), wal.Length);
        var copy = new byte[WalIndexHeader.SizeBytes];
        indexHeader.Write(copy);
        Assert.Equal(index[..WalIndexHeader.SizeBytes], copy);
        Assert.Equal(index[WalIndexHeader.SizeBytes..(2 * WalIndexHeader.SizeBytes)], copy);
    }

    [Fact]
    public void SQLite_takes_a_WAL_of_ours_in_either_byte_order()
    {
        foreach (var bigEndian in new[] { false, true })
        {
            using var folder = new TemporaryFolder();
            var path = folder.File("a.db");
            var (wal, _) = WriteWithSqlite(path, 512);
            LocalFile.DiscardWal(path);
            File.WriteAllBytes(WalFile.PathOf(path), InByteOrder(wal, bigEndian, 512));
            using var connection = SqliteConnection.Open(path);
            Assert.Equal(40, connection.QueryInteger("SELECT count(*) FROM t"));
        }
    }

    [Fact]
    public void A_damaged_WAL_header_is_refused()
    {
        using var folder = new TemporaryFolder();
        var (wal, _) = WriteWithSqlite(folder.File("a.db"), 512);
        Assert.False(WalHeader.TryRead(wal.AsSpan(0, WalHeader.SizeBytes - 1), out _));
        for (var i = 0; i < WalHeader.SizeBytes; i++)
        {
            var damaged = wal[..WalHeader.SizeBytes];
            damaged[i] ^= 0x40;
            Assert.False(WalHeader.TryRead(damaged, out _), $"byte {i}");
        }
    }

    [Fact]
    public void A_damaged_WAL_index_header_is_refused()
    {
        using var folder = new TemporaryFolder();
        var (_, index) = WriteWithSqlite(folder.File("a.db"), 512);
        Assert.False(WalIndexHeader.TryRead(index.AsSpan(0, WalIndexHeader.SizeBytes - 1), out _));
        Assert.False(WalIndexHeader.TryRead(new byte[WalIndexHeader.SizeBytes], out _));
        for (var i = 0; i < WalIndexHeader.SizeBytes; i++)
        {
            var damaged = index[..WalIndexHeader.SizeBytes];
            damaged[i] ^= 0x40;
            Assert.False(WalIndexHeader.TryRead(damaged, out _), $"byte {i}");
        }
    }

    [Fact]
    public void A_frame_header_ends_the_log_when_it_is_short_or_names_no_page()
    {
        Assert.False(WalFrameHeader.TryRead(new byte[WalFrameHeader.SizeBytes - 1], out _));
        Assert.False(WalFrameHeader.TryRead(new byte[WalFrameHeader.SizeBytes], out _));
    }

    [Fact]
    public void A_checksum_covers_pairs_of_words_only() =>
        Assert.Throws<ArgumentException>(static () => default(WalChecksum).Add(new byte[12], bigEndian: false));

    [Theory]
    [InlineData(512, 2097153)]
    [InlineData(4096, 262145)]
    [InlineData(65536, 16385)]
    public void The_lock_page_holds_the_byte_at_one_GiB(int pageSizeBytes, uint page)
    {
        Assert.Equal(page, WalLayout.LockPage(pageSizeBytes));
        Assert.True((long)(page - 1) * pageSizeBytes <= 1L << 30 && (long)page * pageSizeBytes > 1L << 30);
    }

    private static (byte[] Wal, byte[] Index) WriteWithSqlite(string path, int pageSizeBytes)
    {
        using (var connection = SqliteConnection.Open(path, create: true, pageSizeBytes: pageSizeBytes))
        {
            connection.Execute("CREATE TABLE t(a)");
            for (var i = 0; i < 40; i++)
            {
                connection.Execute("INSERT INTO t VALUES (randomblob(300))");
            }
        }

        // With every connection closed, and without a checkpoint, both files stay as they were.
        return (File.ReadAllBytes(WalFile.PathOf(path)), File.ReadAllBytes(WalFile.IndexPathOf(path)));
    }

    private static byte[] InByteOrder(byte[] wal, bool bigEndian, int pageSizeBytes)
    {
        Assert.True(WalHeader.TryRead(wal, out var old));
        var copy = wal.ToArray();
        var header = old with { BigEndianChecksums = bigEndian };
        header.Write(copy);
        header = header with { Checksum = default(WalChecksum).Add(copy.AsSpan(0, 24), bigEndian) };
        header.Write(copy);
        var checksum = header.Checksum;
        for (var offset = WalHeader.SizeBytes; offset < copy.Length; offset += WalLayout.FrameSizeBytes(pageSizeBytes))
        {
            Assert.True(WalFrameHeader.TryRead(copy.AsSpan(offset), out var frame));
            var image = copy.AsSpan(offset + WalFrameHeader.SizeBytes, pageSizeBytes);
            frame = WalFrameHeader.Create(checksum, frame.PageNumber, frame.DatabaseSizePages, header.Salts, image, bigEndian);
            frame.Write(copy.AsSpan(offset));
            checksum = frame.Checksum;
        }

        return copy;
    }
}
