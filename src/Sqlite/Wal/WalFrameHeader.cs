using static System.Buffers.Binary.BinaryPrimitives;

namespace ReplicatedSqlite.Sqlite;

/// <summary>The 24-byte header before each page image in a WAL; all integers big-endian.</summary>
/// <param name="PageNumber">The page whose image follows; counted from 1.</param>
/// <param name="DatabaseSizePages">In a transaction's last frame, the database's size after it; else 0.</param>
/// <param name="Salts">The WAL header's; others mark a leftover of before the WAL's restart.</param>
/// <param name="Checksum">Over the WAL's header and all frames up to and including this one.</param>
/// <remarks>Source: SQLite "WAL-mode File Format".</remarks>
public readonly record struct WalFrameHeader(uint PageNumber, uint DatabaseSizePages, ulong Salts, WalChecksum Checksum)
{
    /// <summary>Bytes of the binary form.</summary>
    public const int SizeBytes = 24;

    /// <summary>Only a transaction's last frame carries the size.</summary>
    public bool IsCommit => DatabaseSizePages != 0;

    /// <summary>Reads one header. The caller checks the salts and the running checksum.</summary>
    /// <returns><see langword="false"/> where the valid log ends: fewer than 24 bytes, or page number 0.</returns>
    public static bool TryRead(ReadOnlySpan<byte> source, out WalFrameHeader header)
    {
        header = default;
        if (source.Length < SizeBytes)
        {
            return false; // a torn tail is normal after a crash, so it is not an error here
        }

        header = new(
            ReadUInt32BigEndian(source),
            ReadUInt32BigEndian(source[4..]),
            ReadUInt64BigEndian(source[8..]),
            new(ReadUInt32BigEndian(source[16..]), ReadUInt32BigEndian(source[20..])));
        return header.PageNumber != 0;
    }

    /// <summary>The header of the frame that follows one with this checksum.</summary>
    public static WalFrameHeader Create(
        WalChecksum previous, uint pageNumber, uint databaseSizePages, ulong salts, ReadOnlySpan<byte> image, bool bigEndian)
    {
        Span<byte> covered = stackalloc byte[8];
        WriteUInt32BigEndian(covered, pageNumber);
        WriteUInt32BigEndian(covered[4..], databaseSizePages);
        return new(pageNumber, databaseSizePages, salts, previous.Add(covered, bigEndian).Add(image, bigEndian));
    }

    /// <summary>Writes the 24 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        WriteUInt32BigEndian(destination, PageNumber);
        WriteUInt32BigEndian(destination[4..], DatabaseSizePages);
        WriteUInt64BigEndian(destination[8..], Salts);
        WriteUInt32BigEndian(destination[16..], Checksum.S1);
        WriteUInt32BigEndian(destination[20..], Checksum.S2);
    }
}
