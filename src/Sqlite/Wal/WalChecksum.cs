using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Sqlite;

/// <summary>The running checksum of a WAL: it starts with the WAL's header and goes on through every frame.</summary>
/// <remarks>
/// Over 32-bit words in pairs: <c>s1 += word + s2; s2 += word' + s1</c>. The words are read in the byte order that the WAL's magic number names,
/// which is the order of the machine that began the WAL. Source: SQLite "WAL-mode File Format", <c>walChecksumBytes</c>.
/// </remarks>
public readonly record struct WalChecksum(uint S1, uint S2)
{
    /// <summary>The checksum over what came before and these bytes, whose number is a multiple of 8.</summary>
    public WalChecksum Add(ReadOnlySpan<byte> bytes, bool bigEndian)
    {
        if (bytes.Length % 8 != 0)
        {
            throw new ArgumentException($"A WAL checksum covers multiples of 8 bytes, not {bytes.Length}.", nameof(bytes));
        }

        return bigEndian == BitConverter.IsLittleEndian ? AddSwapped(bytes) : AddNative(bytes);
    }

    // One load for two words, and four pairs a turn: the sums depend on each other, so anything beside them counts.
    private WalChecksum AddNative(ReadOnlySpan<byte> bytes)
    {
        var pairs = MemoryMarshal.Cast<byte, ulong>(bytes);
        var (s1, s2) = (S1, S2);
        if (!BitConverter.IsLittleEndian)
        {
            foreach (var pair in pairs)
            {
                s1 += (uint)(pair >> 32) + s2;
                s2 += (uint)pair + s1;
            }

            return new(s1, s2);
        }

        while (pairs.Length >= 4)
        {
            var (a, b, c, d) = (pairs[0], pairs[1], pairs[2], pairs[3]);
            s1 += (uint)a + s2;
            s2 += (uint)(a >> 32) + s1;
            s1 += (uint)b + s2;
            s2 += (uint)(b >> 32) + s1;
            s1 += (uint)c + s2;
            s2 += (uint)(c >> 32) + s1;
            s1 += (uint)d + s2;
            s2 += (uint)(d >> 32) + s1;
            pairs = pairs[4..];
        }

        foreach (var pair in pairs)
        {
            s1 += (uint)pair + s2;
            s2 += (uint)(pair >> 32) + s1;
        }

        return new(s1, s2);
    }

    private WalChecksum AddSwapped(ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, uint>(bytes);
        var (s1, s2) = (S1, S2);
        for (var i = 0; i + 1 < words.Length; i += 2)
        {
            s1 += BinaryPrimitives.ReverseEndianness(words[i]) + s2;
            s2 += BinaryPrimitives.ReverseEndianness(words[i + 1]) + s1;
        }

        return new(s1, s2);
    }
}
