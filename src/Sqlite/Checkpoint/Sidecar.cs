using System.Buffers.Binary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Says which states of the log a main file holds, without its WAL.</summary>
/// <param name="Database">Whose file it is.</param>
/// <param name="From">Replay starts behind this position: everything up to it is in the main file, synced.</param>
/// <param name="To">Pages may be as new as this: nobody reads the file before replay has passed it.</param>
/// <remarks>
/// <see cref="To"/> is written before a checkpoint starts, <see cref="From"/> after it has finished and is synced. A main file without a sidecar is
/// not trusted. Format: docs/formats.md, "Sidecar".
/// </remarks>
public sealed record Sidecar(DatabaseId Database, Position From, Position To)
{
    /// <summary>Bytes of the file.</summary>
    public const int SizeBytes = 96;

    private const byte Version = 1;
    private const int MagicOffset = 4;
    private const int DatabaseOffset = 16;
    private const int FromOffset = 32;
    private const int ToOffset = FromOffset + Position.SizeBytes;
    private const int ChecksumOffset = SizeBytes - 4;

    private static ReadOnlySpan<byte> Magic => "RSQLSIDECAR\0"u8;

    /// <summary>The sidecar's path beside a database file.</summary>
    public static string PathOf(string databasePath) => databasePath + "-sidecar";

    /// <summary>Reads a sidecar.</summary>
    /// <returns><see langword="null"/> when there is none.</returns>
    /// <exception cref="FormatVersionException">A newer version of the product wrote it.</exception>
    /// <exception cref="InvalidDataException">It is damaged; the text names file, offset, found and expected.</exception>
    public static Sidecar? Read(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        // Newer ones may have another length; the place of version and magic stays.
        var isSidecar = bytes.Length >= MagicOffset + Magic.Length && bytes.AsSpan(MagicOffset, Magic.Length).SequenceEqual(Magic);
        if (isSidecar && bytes[0] > Version && HasChecksum(bytes))
        {
            throw new FormatVersionException(path, bytes[0], Version);
        }

        if (bytes.Length != SizeBytes)
        {
            throw Damaged(path, 0, $"{bytes.Length} bytes", $"{SizeBytes} bytes");
        }

        if (bytes[0] != Version)
        {
            throw Damaged(path, 0, $"version {bytes[0]}", $"version {Version}");
        }

        if (!isSidecar)
        {
            throw Damaged(path, MagicOffset, Convert.ToHexStringLower(bytes, MagicOffset, Magic.Length), Convert.ToHexStringLower(Magic));
        }

        var found = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(ChecksumOffset));
        var expected = Crc32C.Of(bytes.AsSpan(0, ChecksumOffset));
        return found == expected
            ? new(DatabaseId.Read(bytes.AsSpan(DatabaseOffset)), ReadPosition(bytes.AsSpan(FromOffset)), ReadPosition(bytes.AsSpan(ToOffset)))
            : throw Damaged(path, ChecksumOffset, $"CRC-32C {found:x8}", $"{expected:x8}");
    }

    /// <summary>Writes the sidecar in place of the one that is there: whole or not at all, durable on return.</summary>
    public void Write(string path)
    {
        Span<byte> bytes = stackalloc byte[SizeBytes];
        bytes.Clear();
        bytes[0] = Version;
        Magic.CopyTo(bytes[MagicOffset..]);
        Database.Write(bytes[DatabaseOffset..]);
        WritePosition(bytes[FromOffset..], From);
        WritePosition(bytes[ToOffset..], To);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[ChecksumOffset..], Crc32C.Of(bytes[..ChecksumOffset]));
        DurableFile.Write(path, bytes);
    }

    // Every version ends with it: a flipped bit in the version byte is damage, and no newer version.
    private static bool HasChecksum(byte[] bytes) => bytes.Length > MagicOffset + 4 && BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4)) == Crc32C.Of(bytes.AsSpan(0, bytes.Length - 4));

    private static Position ReadPosition(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt32LittleEndian(source), BinaryPrimitives.ReadUInt64LittleEndian(source[4..]), ChainHash.Read(source[12..]));

    private static void WritePosition(Span<byte> destination, in Position position)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, position.Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[4..], position.Sequence);
        position.Hash.Write(destination[12..]);
    }

    private static InvalidDataException Damaged(string path, int offset, string found, string expected) => new(
        $"The sidecar '{path}' is damaged at byte {offset}: found {found}, expected {expected}. " +
        "Without it the database file beside it cannot be trusted; remove both and let the copy be built again.");
}
