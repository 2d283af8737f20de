using static System.Buffers.Binary.BinaryPrimitives;

namespace ReplicatedSqlite.Sqlite;

/// <summary>The 32 bytes at the start of a WAL; all integers big-endian.</summary>
/// <param name="BigEndianChecksums">Checksums read their words big-endian: the WAL was begun on a big-endian machine.</param>
/// <param name="PageSizeBytes">Of the database.</param>
/// <param name="CheckpointSequence">Grows with each restart of the WAL.</param>
/// <param name="Salts">Two u32, kept as one u64; each frame of this WAL repeats them.</param>
/// <param name="Checksum">Over the first 24 bytes; the frames' checksums go on from it.</param>
/// <remarks>Source: SQLite "WAL-mode File Format".</remarks>
public readonly record struct WalHeader(bool BigEndianChecksums, int PageSizeBytes, uint CheckpointSequence, ulong Salts, WalChecksum Checksum)
{
    /// <summary>Bytes of the binary form.</summary>
    public const int SizeBytes = 32;

    private const int ChecksummedBytes = 24;
    private const uint Magic = 0x377f0682; // the lowest bit says that checksums are big-endian
    private const uint FormatVersion = 3_007_000;

    /// <summary>A header with its checksum, in this machine's byte order.</summary>
    public static WalHeader Create(int pageSizeBytes, uint checkpointSequence, ulong salts)
    {
        Span<byte> bytes = stackalloc byte[SizeBytes];
        var header = new WalHeader(!BitConverter.IsLittleEndian, pageSizeBytes, checkpointSequence, salts, default);
        header.Write(bytes);
        return header with { Checksum = default(WalChecksum).Add(bytes[..ChecksummedBytes], header.BigEndianChecksums) };
    }

    /// <summary>Reads and checks one header.</summary>
    /// <returns><see langword="false"/> when SQLite would take the WAL for empty: short, another magic number or version, wrong checksum.</returns>
    public static bool TryRead(ReadOnlySpan<byte> source, out WalHeader header)
    {
        header = default;
        if (source.Length < SizeBytes)
        {
            return false;
        }

        var magic = ReadUInt32BigEndian(source);
        var pageSizeBytes = ReadUInt32BigEndian(source[8..]);
        if ((magic & ~1u) != Magic || ReadUInt32BigEndian(source[4..]) != FormatVersion || !WalLayout.IsPageSize(pageSizeBytes))
        {
            return false;
        }

        var bigEndian = (magic & 1) != 0;
        var checksum = new WalChecksum(ReadUInt32BigEndian(source[24..]), ReadUInt32BigEndian(source[28..]));
        header = new(bigEndian, (int)pageSizeBytes, ReadUInt32BigEndian(source[12..]), ReadUInt64BigEndian(source[16..]), checksum);
        return default(WalChecksum).Add(source[..ChecksummedBytes], bigEndian) == checksum;
    }

    /// <summary>Writes the 32 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        WriteUInt32BigEndian(destination, Magic | (BigEndianChecksums ? 1u : 0));
        WriteUInt32BigEndian(destination[4..], FormatVersion);
        WriteUInt32BigEndian(destination[8..], (uint)PageSizeBytes);
        WriteUInt32BigEndian(destination[12..], CheckpointSequence);
        WriteUInt64BigEndian(destination[16..], Salts);
        WriteUInt32BigEndian(destination[24..], Checksum.S1);
        WriteUInt32BigEndian(destination[28..], Checksum.S2);
    }
}
