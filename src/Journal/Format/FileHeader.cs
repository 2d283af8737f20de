using System.Buffers.Binary;
using System.Globalization;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>The first 64 bytes of a journal file, and its name.</summary>
internal readonly record struct FileHeader(int Number, Guid JournalId, Guid FileId, int FileSizeBytes)
{
    public const int SizeBytes = 64;
    public const byte Version = 1;
    public const int MaxNumber = 99_999_999;
    private const string Extension = ".journal";
    private const int NumberDigits = 8;
    private const int ChecksumOffset = 60;

    private static ReadOnlySpan<byte> Magic => "RSJRNLFL"u8;

    public static string NameOf(int number) => number.ToString("D8", CultureInfo.InvariantCulture) + Extension;

    public static bool TryParseName(string name, out int number)
    {
        number = 0;
        return name.Length == NumberDigits + Extension.Length && name.EndsWith(Extension, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(0, NumberDigits), NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    public byte[] Encode()
    {
        var bytes = new byte[SizeBytes];
        Magic.CopyTo(bytes);
        bytes[8] = Version;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), Number);
        JournalId.TryWriteBytes(bytes.AsSpan(16), bigEndian: true, out _);
        FileId.TryWriteBytes(bytes.AsSpan(32), bigEndian: true, out _);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(48), FileSizeBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumOffset), Crc32C.Of(bytes.AsSpan(0, ChecksumOffset)));
        return bytes;
    }

    /// <exception cref="JournalVersionException">A header of another version; looked at first, because the rest may look different there.</exception>
    public static string? TryRead(ReadOnlySpan<byte> source, string name, out FileHeader header)
    {
        header = default;
        if (source.Length < SizeBytes || !source.StartsWith(Magic))
        {
            return "no journal file header was found";
        }

        // A write that failed midway leaves the magic with zeros behind it; no version is 0.
        if (source[8] is not (Version or 0))
        {
            throw new JournalVersionException(name, source[8], Version);
        }

        var stored = BinaryPrimitives.ReadUInt32LittleEndian(source[ChecksumOffset..]);
        var computed = Crc32C.Of(source[..ChecksumOffset]);
        if (stored != computed)
        {
            return $"a file header with checksum {stored:x8} was found instead of {computed:x8}";
        }

        if (source[9..12].ContainsAnyExcept((byte)0) || source[52..ChecksumOffset].ContainsAnyExcept((byte)0))
        {
            return "a file header with reserved bytes that are not zero was found";
        }

        header = new(
            BinaryPrimitives.ReadInt32LittleEndian(source[12..]),
            new Guid(source.Slice(16, 16), bigEndian: true),
            new Guid(source.Slice(32, 16), bigEndian: true),
            BinaryPrimitives.ReadInt32LittleEndian(source[48..]));
        return NameOf(header.Number) == name ? null : $"the header of file {header.Number} was found";
    }
}
