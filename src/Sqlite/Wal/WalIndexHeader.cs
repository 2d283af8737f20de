using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Sqlite;

/// <summary>The 48 bytes that say what is visible in a WAL. They stand twice at the start of the WAL-index; all integers in native order.</summary>
/// <param name="Change">Grows with each commit, so that readers notice one.</param>
/// <param name="BigEndianChecksums">The WAL's checksums read their words big-endian.</param>
/// <param name="PageSizeBytes">Of the database; 0 while the WAL has never held a frame.</param>
/// <param name="LastFrame">The last visible frame (<c>mxFrame</c>); 0 when the WAL holds none.</param>
/// <param name="DatabaseSizePages">The visible database's size; 0 when only the file knows it.</param>
/// <param name="FrameChecksum">Of the last visible frame.</param>
/// <param name="Salts">The WAL's, in the bytes of its header, read as one big-endian u64.</param>
/// <remarks>Source: SQLite <c>wal.c</c>, <c>WalIndexHdr</c>.</remarks>
public readonly record struct WalIndexHeader(
    uint Change, bool BigEndianChecksums, int PageSizeBytes, uint LastFrame, uint DatabaseSizePages, WalChecksum FrameChecksum, ulong Salts)
{
    /// <summary>Bytes of the binary form.</summary>
    public const int SizeBytes = 48;

    private const int ChecksummedBytes = 40;
    private const uint FormatVersion = 3_007_000;

    /// <summary>Reads and checks one copy.</summary>
    /// <returns><see langword="false"/> when it is not initialised, of another version, or half written.</returns>
    public static bool TryRead(ReadOnlySpan<byte> source, out WalIndexHeader header)
    {
        header = default;
        if (source.Length < SizeBytes || Word(source, 0) != FormatVersion || source[12] == 0)
        {
            return false;
        }

        var pageSize = MemoryMarshal.Read<ushort>(source[14..]);
        header = new(
            Word(source, 8),
            source[13] != 0,
            (pageSize & 0xfe00) + ((pageSize & 1) << 16), // 65536 does not fit and is written as 1
            Word(source, 16),
            Word(source, 20),
            new(Word(source, 24), Word(source, 28)),
            BinaryPrimitives.ReadUInt64BigEndian(source[32..]));
        return Checksum(source) == new WalChecksum(Word(source, 40), Word(source, 44));
    }

    /// <summary>Writes one copy with its checksum.</summary>
    public void Write(Span<byte> destination)
    {
        SetWord(destination, 0, FormatVersion);
        SetWord(destination, 4, 0);
        SetWord(destination, 8, Change);
        destination[12] = 1;
        destination[13] = BigEndianChecksums ? (byte)1 : (byte)0;
        var pageSize = (ushort)((PageSizeBytes & 0xff00) | (PageSizeBytes >> 16));
        MemoryMarshal.Write(destination[14..], in pageSize);
        SetWord(destination, 16, LastFrame);
        SetWord(destination, 20, DatabaseSizePages);
        SetWord(destination, 24, FrameChecksum.S1);
        SetWord(destination, 28, FrameChecksum.S2);
        BinaryPrimitives.WriteUInt64BigEndian(destination[32..], Salts);
        var checksum = Checksum(destination);
        SetWord(destination, 40, checksum.S1);
        SetWord(destination, 44, checksum.S2);
    }

    private static WalChecksum Checksum(ReadOnlySpan<byte> source) =>
        default(WalChecksum).Add(source[..ChecksummedBytes], bigEndian: !BitConverter.IsLittleEndian);

    private static uint Word(ReadOnlySpan<byte> source, int offset) => MemoryMarshal.Read<uint>(source[offset..]);

    private static void SetWord(Span<byte> destination, int offset, uint value) => MemoryMarshal.Write(destination[offset..], in value);
}
