using System.Buffers.Binary;
using System.Numerics;

namespace ReplicatedSqlite.Protocol;

/// <summary>CRC-32C over spans, eight bytes a step; the processor's own instruction where it has one.</summary>
public static class Crc32C
{
    /// <summary>The finished checksum of <paramref name="bytes"/>.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => ~Append(uint.MaxValue, bytes);

    /// <summary>Goes on from <paramref name="state"/>, which starts as all ones and is inverted by the caller at the end.</summary>
    public static uint Append(uint state, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= sizeof(ulong))
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var value in bytes)
        {
            state = BitOperations.Crc32C(state, value);
        }

        return state;
    }
}
