using System.Buffers;
using System.Runtime.CompilerServices;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Bytes that grow at their end. Kept from batch to batch, unless one was large.</summary>
internal sealed class ByteBuffer
{
    private const int MaxKeptBytes = 512 * 1024; // more than a usual batch: one large value is no reason to keep its memory
    private const int MaxVarintBytes = 10;

    private byte[] _bytes = [];
    private int _mark;

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public static int VarintBytes(ulong value)
    {
        var bytes = 1;
        while ((value >>= 7) != 0)
        {
            bytes++;
        }

        return bytes;
    }

    /// <summary>Writes a base-128 integer.</summary>
    /// <returns>Its bytes.</returns>
    public static int WriteVarint(Span<byte> room, ulong value)
    {
        var at = 0;
        for (; value >= 0x80; value >>= 7)
        {
            room[at++] = (byte)(value | 0x80);
        }

        room[at++] = (byte)value;
        return at;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(byte value)
    {
        if (Length == _bytes.Length)
        {
            Grow(1);
        }

        _bytes[Length++] = value;
    }

    public void AppendVarint(ulong value)
    {
        if (_bytes.Length - Length < MaxVarintBytes)
        {
            Grow(MaxVarintBytes);
        }

        Length += WriteVarint(_bytes.AsSpan(Length), value);
    }

    /// <summary>Makes it longer.</summary>
    /// <returns>The new part, to be written.</returns>
    public Span<byte> Extend(int count)
    {
        if (_bytes.Length - Length < count)
        {
            Grow(count);
        }

        var part = _bytes.AsSpan(Length, count);
        Length += count;
        return part;
    }

    /// <summary><see cref="Undo"/> goes back to here.</summary>
    public void Mark() => _mark = Length;

    public void Undo() => Length = _mark;

    public void Clear()
    {
        Length = _mark = 0;
        if (_bytes.Length > MaxKeptBytes)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
        }
    }

    private void Grow(int count)
    {
        var wanted = checked((int)Math.Max(Math.Max(64, (long)Length + count), Math.Min(2L * _bytes.Length, Array.MaxLength)));

        // Large ones are shared with others, so that one large value after the other makes no work for the garbage collector.
        var larger = wanted > MaxKeptBytes ? ArrayPool<byte>.Shared.Rent(wanted) : new byte[wanted];
        Written.CopyTo(larger);
        if (_bytes.Length > MaxKeptBytes)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }

        _bytes = larger;
    }
}
