namespace ReplicatedSqlite.Journal;

/// <summary>Whole numbers of seven bits a byte, least significant first; each has exactly one form (docs/formats.md).</summary>
internal static class Varint
{
    /// <summary>Bytes that a 32-bit number may take.</summary>
    public const int Max32Bytes = 5;

    /// <summary>Bytes that a 64-bit number may take.</summary>
    public const int Max64Bytes = 10;

    public static int SizeOf(ulong value)
    {
        var size = 1;
        for (; value >= 0x80; value >>= 7)
        {
            size++;
        }

        return size;
    }

    /// <summary>Writes a number.</summary>
    /// <returns>The bytes that it took.</returns>
    public static int Write(Span<byte> target, ulong value)
    {
        var size = 0;
        for (; value >= 0x80; value >>= 7)
        {
            target[size++] = (byte)(value | 0x80);
        }

        target[size++] = (byte)value;
        return size;
    }

    /// <summary>Reads a number and moves <paramref name="source"/> behind it.</summary>
    /// <returns><see langword="false"/> where the bytes end, the number has a shorter form, or it is above <paramref name="max"/>.</returns>
    public static bool TryRead(ref ReadOnlySpan<byte> source, ulong max, out ulong value)
    {
        value = 0;
        for (var size = 0; size < source.Length && size < Max64Bytes; size++)
        {
            var bits = (ulong)(source[size] & 0x7F);
            if (size == Max64Bytes - 1 && bits > 1)
            {
                return false; // beyond 64 bits
            }

            value |= bits << (7 * size);
            if (source[size] < 0x80)
            {
                source = source[(size + 1)..];
                return value <= max && (bits != 0 || size == 0);
            }
        }

        return false;
    }

    /// <summary>Reads a number that was checked before.</summary>
    public static ulong Read(ref ReadOnlySpan<byte> source) =>
        TryRead(ref source, ulong.MaxValue, out var value) ? value : throw new InvalidOperationException("Bytes that were checked have changed: no number was found.");
}
