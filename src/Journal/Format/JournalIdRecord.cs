using System.Buffers.Binary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>The content of <c>journal.id</c>, which names a journal for ever.</summary>
internal static class JournalIdRecord
{
    public const string FileName = "journal.id";
    public const string LockName = "journal.lock";
    public const int SizeBytes = 32;
    private const byte Version = 1;
    private const int ChecksumOffset = 28;

    private static ReadOnlySpan<byte> Magic => "RSJOURNL"u8;

    public static byte[] Encode(Guid journalId)
    {
        var bytes = new byte[SizeBytes];
        Magic.CopyTo(bytes);
        bytes[8] = Version;
        journalId.TryWriteBytes(bytes.AsSpan(12), bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumOffset), Crc32C.Of(bytes.AsSpan(0, ChecksumOffset)));
        return bytes;
    }

    public static bool TryRead(ReadOnlySpan<byte> source, out Guid journalId)
    {
        journalId = default;
        if (source.Length < SizeBytes || !source.StartsWith(Magic))
        {
            return false;
        }

        // A write that failed midway leaves the magic with zeros behind it; no version is 0.
        if (source[8] is not (Version or 0))
        {
            throw new JournalVersionException(FileName, source[8], Version);
        }

        if (source.Length != SizeBytes || BinaryPrimitives.ReadUInt32LittleEndian(source[ChecksumOffset..]) != Crc32C.Of(source[..ChecksumOffset]))
        {
            return false;
        }

        journalId = new Guid(source.Slice(12, 16), bigEndian: true);
        return true;
    }
}
