using System.Buffers.Binary;

namespace ReplicatedSqlite.Journal;

/// <summary>The extension: tagged items in ascending order of their tags.</summary>
internal static class Extension
{
    public static int SizeOf(int payloadBytes) => EntryLayout.ExtensionItemHeaderBytes + payloadBytes;

    /// <summary>Writes an item's header; the caller fills the span that is returned.</summary>
    public static Span<byte> WriteItem(Span<byte> target, ExtensionTag tag, int payloadBytes)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)tag);
        BinaryPrimitives.WriteUInt16LittleEndian(target[2..], 0);
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], payloadBytes);
        return target.Slice(EntryLayout.ExtensionItemHeaderBytes, payloadBytes);
    }

    /// <summary>Finds a payload in bytes that passed <see cref="FindFault"/>.</summary>
    public static bool TryFind(ReadOnlyMemory<byte> extension, ExtensionTag wanted, out ReadOnlyMemory<byte> payload)
    {
        while (!extension.IsEmpty)
        {
            var tag = BinaryPrimitives.ReadUInt16LittleEndian(extension.Span);
            var length = BinaryPrimitives.ReadInt32LittleEndian(extension.Span[4..]);
            if (tag == (ushort)wanted)
            {
                payload = extension.Slice(EntryLayout.ExtensionItemHeaderBytes, length);
                return true;
            }

            extension = extension[(EntryLayout.ExtensionItemHeaderBytes + length)..];
        }

        payload = default;
        return false;
    }

    public static string? FindFault(ReadOnlySpan<byte> extension, bool isEpochEntry)
    {
        var previous = 0;
        var hasEpochTable = false;
        while (!extension.IsEmpty)
        {
            if (extension.Length < EntryLayout.ExtensionItemHeaderBytes)
            {
                return $"{extension.Length} bytes were found where an extension item's header has {EntryLayout.ExtensionItemHeaderBytes}";
            }

            var tag = BinaryPrimitives.ReadUInt16LittleEndian(extension);
            var length = BinaryPrimitives.ReadUInt32LittleEndian(extension[4..]);
            if (tag <= previous || BinaryPrimitives.ReadUInt16LittleEndian(extension[2..]) != 0)
            {
                return $"extension tag {tag} was found after {previous}; ascending tags and zero reserved bytes were wanted";
            }

            if (length > extension.Length - EntryLayout.ExtensionItemHeaderBytes)
            {
                return $"extension item {tag} has {length} bytes; {extension.Length - EntryLayout.ExtensionItemHeaderBytes} are left";
            }

            var known = tag is (ushort)ExtensionTag.EpochTable or (ushort)ExtensionTag.FollowerSet;
            if (!known && (tag & EntryLayout.SkippableTag) == 0)
            {
                return $"extension tag {tag} was found; this build knows 1 (epoch table) and 2 (follower set), and skips only tags from {EntryLayout.SkippableTag}";
            }

            if (known && !isEpochEntry)
            {
                return $"extension tag {tag} ({(ExtensionTag)tag}) was found outside an epoch entry";
            }

            hasEpochTable |= tag == (ushort)ExtensionTag.EpochTable;
            previous = tag;
            extension = extension[(EntryLayout.ExtensionItemHeaderBytes + (int)length)..];
        }

        return isEpochEntry && !hasEpochTable ? "an epoch entry was found without its epoch table" : null;
    }
}
