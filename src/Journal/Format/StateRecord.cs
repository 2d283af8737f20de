using System.Buffers.Binary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>A database's whole state: what is no longer needed, and where its log ends. The newest one replaces all earlier ones.</summary>
internal readonly record struct StateRecord(DatabaseId Database, Position Base, Position End)
{
    public const int SizeBytes = DatabaseId.SizeBytes + (2 * Position.SizeBytes);

    public byte[] Encode()
    {
        var bytes = new byte[SizeBytes];
        Database.Write(bytes);
        Write(bytes.AsSpan(DatabaseId.SizeBytes), Base);
        Write(bytes.AsSpan(DatabaseId.SizeBytes + Position.SizeBytes), End);
        return bytes;
    }

    public static string? TryRead(ReadOnlySpan<byte> source, out StateRecord state)
    {
        state = default;
        if (source.Length != SizeBytes)
        {
            return $"a state of {source.Length} bytes was found; {SizeBytes} were wanted";
        }

        state = new(DatabaseId.Read(source), Read(source[DatabaseId.SizeBytes..]), Read(source[(DatabaseId.SizeBytes + Position.SizeBytes)..]));
        return null;
    }

    private static void Write(Span<byte> target, Position position)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, position.Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(target[4..], position.Sequence);
        position.Hash.Write(target[12..]);
    }

    private static Position Read(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt32LittleEndian(source), BinaryPrimitives.ReadUInt64LittleEndian(source[4..]), ChainHash.Read(source[12..]));
}
