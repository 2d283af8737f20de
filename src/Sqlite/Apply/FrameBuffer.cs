namespace ReplicatedSqlite.Sqlite;

/// <summary>The frames of one open transaction on their way into the WAL: one write for a small transaction, one per MiB for a big one.</summary>
/// <remarks>Which frame is the commit frame is known only at the end, and its header takes part in the checksum; so the last frame waits for its header.</remarks>
internal sealed class FrameBuffer(WalFile wal, WalIndex index, int pageSizeBytes)
{
    private const int MaxSizeBytes = 1 << 20;

    private readonly int _frameSizeBytes = WalLayout.FrameSizeBytes(pageSizeBytes);
    private byte[] _bytes = new byte[WalLayout.FrameSizeBytes(pageSizeBytes)];
    private uint[] _pages = new uint[1];
    private WalHeader? _walHeader; // to be written before the first frame
    private ulong _salts;
    private bool _bigEndian;
    private int _count; // frames in the buffer; the last one has no header yet
    private uint _written; // the last frame in the file

    /// <summary>The last frame that was added.</summary>
    public uint LastFrame => _written + (uint)_count;

    /// <summary>The running checksum behind the last frame that has its header.</summary>
    public WalChecksum Checksum { get; private set; }

    /// <summary>The next frame is the first of a WAL with this header.</summary>
    public void StartWal(in WalHeader header)
    {
        _walHeader = header;
        (_salts, _bigEndian) = (header.Salts, header.BigEndianChecksums);
    }

    /// <summary>The next frame follows others in a WAL that has its header.</summary>
    public void ContinueWal(ulong salts, bool bigEndian)
    {
        _walHeader = null;
        (_salts, _bigEndian) = (salts, bigEndian);
    }

    /// <summary>Starts a transaction behind a frame.</summary>
    public void Begin(uint lastFrame, WalChecksum checksum)
    {
        (_written, _count) = (lastFrame, 0);
        Checksum = checksum;
    }

    public void Add(uint pageNumber, ReadOnlySpan<byte> image)
    {
        if (_count > 0)
        {
            _ = WriteHeader(databaseSizePages: 0);
        }

        if (_count == _pages.Length)
        {
            MakeRoom();
        }

        _pages[_count] = pageNumber;
        image.CopyTo(Image(_count));
        _count++;
    }

    /// <summary>Writes what is left; the commit frame's header stays zero in the file.</summary>
    /// <returns>That header, or one with page number 0 when the transaction has no page.</returns>
    public WalFrameHeader End(uint databaseSizePages)
    {
        if (_count == 0)
        {
            return default; // the last frame is never flushed before the end, so there was none
        }

        var commit = WriteHeader(databaseSizePages);
        _bytes.AsSpan((_count - 1) * _frameSizeBytes, WalFrameHeader.SizeBytes).Clear();
        Flush();
        return commit;
    }

    private WalFrameHeader WriteHeader(uint databaseSizePages)
    {
        var last = _count - 1;
        var header = WalFrameHeader.Create(Checksum, _pages[last], databaseSizePages, _salts, Image(last), _bigEndian);
        header.Write(_bytes.AsSpan(last * _frameSizeBytes));
        Checksum = header.Checksum;
        return header;
    }

    private void MakeRoom()
    {
        var frames = Math.Min(2 * _pages.Length, Math.Max(1, MaxSizeBytes / _frameSizeBytes));
        if (frames > _pages.Length)
        {
            Array.Resize(ref _pages, frames);
            Array.Resize(ref _bytes, frames * _frameSizeBytes);
        }
        else
        {
            Flush();
        }
    }

    private void Flush()
    {
        if (_walHeader is { } walHeader)
        {
            Span<byte> bytes = stackalloc byte[WalHeader.SizeBytes];
            walHeader.Write(bytes);
            wal.Write(bytes, 0);
            _walHeader = null;
        }

        wal.Write(_bytes.AsSpan(0, _count * _frameSizeBytes), WalLayout.FrameOffset(_written + 1, pageSizeBytes));
        for (var i = 0; i < _count; i++)
        {
            index.Insert(_written + 1 + (uint)i, _pages[i]);
        }

        _written += (uint)_count;
        _count = 0;
    }

    private Span<byte> Image(int frame) => _bytes.AsSpan((frame * _frameSizeBytes) + WalFrameHeader.SizeBytes, pageSizeBytes);
}
