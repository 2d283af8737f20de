using System.Buffers.Binary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

internal static class PositionBytes
{
    public static void Write(Span<byte> target, in Position position)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, position.Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(target[4..], position.Sequence);
        position.Hash.Write(target[12..]);
    }

    public static Position Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt32LittleEndian(source), BinaryPrimitives.ReadUInt64LittleEndian(source[4..]), ChainHash.Read(source[12..]));
}
