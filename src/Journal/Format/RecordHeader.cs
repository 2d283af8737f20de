using System.Buffers.Binary;

namespace ReplicatedSqlite.Journal;

/// <summary>The 16 bytes before a record's body. <paramref name="Previous"/> leads to the same database's entry before, in the same file, or is 0.</summary>
internal readonly record struct RecordHeader(RecordKind Kind, int BodyBytes, int Previous)
{
    public const int SizeBytes = 16;

    public void Write(Span<byte> target)
    {
        target[..SizeBytes].Clear();
        target[0] = (byte)Kind;
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], BodyBytes);
        BinaryPrimitives.WriteInt32LittleEndian(target[8..], Previous);
    }

    /// <summary>Reads a header that has <paramref name="room"/> bytes for itself and its body.</summary>
    public static string? TryRead(ReadOnlySpan<byte> source, int room, out RecordHeader header)
    {
        header = default;
        if (source.Length < SizeBytes)
        {
            return $"{source.Length} bytes were found where a record's header has {SizeBytes}";
        }

        header = new((RecordKind)source[0], BinaryPrimitives.ReadInt32LittleEndian(source[4..]), BinaryPrimitives.ReadInt32LittleEndian(source[8..]));
        if (header.Kind is < RecordKind.Entry or > RecordKind.FileRemoved)
        {
            return $"record kind {source[0]} was found; this build knows 1 to {(int)RecordKind.FileRemoved}";
        }

        if (source[1..4].ContainsAnyExcept((byte)0) || source[12..SizeBytes].ContainsAnyExcept((byte)0))
        {
            return "a record's header with reserved bytes that are not zero was found";
        }

        return header.BodyBytes < 0 || header.BodyBytes > room - SizeBytes
            ? $"a record of {header.BodyBytes} bytes was found where {room - SizeBytes} are left"
            : null;
    }
}
