using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Journal;

/// <summary>The ranges of a patch or a sparse page: found, written, checked and set.</summary>
internal static class PageRanges
{
    // A range of its own costs two bytes or more, so a shorter stretch of equal bytes is sent along.
    private const int MergedGapBytes = 2;

    /// <summary>Writes where and how a page differs from the one before.</summary>
    /// <returns>The bytes written; -1 when <paramref name="target"/> is too short for them, and then holds nothing of use.</returns>
    public static int Encode(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, Span<byte> target)
    {
        before = before[..after.Length];
        var written = 0;
        var end = 0;
        for (var start = after.CommonPrefixLength(before); start < after.Length; start = end + after[end..].CommonPrefixLength(before[end..]))
        {
            var gap = start - end;
            end = FindEnd(before, after, start);
            var count = end - start;
            if (written + Varint.SizeOf((uint)gap) + Varint.SizeOf((uint)count) + count > target.Length)
            {
                return -1;
            }

            written += Varint.Write(target[written..], (uint)gap);
            written += Varint.Write(target[written..], (uint)count);
            after[start..end].CopyTo(target[written..]);
            written += count;
        }

        return written;
    }

    /// <summary>Sets ranges that passed <see cref="FindFault"/>.</summary>
    public static void Apply(ReadOnlySpan<byte> ranges, Span<byte> page)
    {
        while (!ranges.IsEmpty)
        {
            page = page[(int)Varint.Read(ref ranges)..];
            var count = (int)Varint.Read(ref ranges);
            ranges[..count].CopyTo(page);
            ranges = ranges[count..];
            page = page[count..];
        }
    }

    /// <summary>Notes which bytes the ranges set.</summary>
    public static void Mark(ReadOnlySpan<byte> ranges, Span<bool> known)
    {
        while (!ranges.IsEmpty)
        {
            known = known[(int)Varint.Read(ref ranges)..];
            var count = (int)Varint.Read(ref ranges);
            known[..count].Fill(true);
            ranges = ranges[count..];
            known = known[count..];
        }
    }

    public static string? FindFault(ReadOnlySpan<byte> ranges, int pageSizeBytes)
    {
        var left = (ulong)pageSizeBytes;
        for (var isFirst = true; !ranges.IsEmpty; isFirst = false)
        {
            if (!Varint.TryRead(ref ranges, left, out var gap) || (gap == 0 && !isFirst)
                || !Varint.TryRead(ref ranges, left - gap, out var count) || count == 0 || count > (ulong)ranges.Length)
            {
                return $"a range was found that is cut short, touches the one before, or leaves the page, {left} bytes before the page's end";
            }

            left -= gap + count;
            ranges = ranges[(int)count..];
        }

        return null;
    }

    // The end of the range that starts here: where more than the merged gap is equal, or the page ends.
    private static int FindEnd(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, int start)
    {
        var end = start + 1;
        for (var i = end; i < after.Length && i - end <= MergedGapBytes;)
        {
            if (i == end && i + sizeof(ulong) <= after.Length && !HasZeroByte(ReadWord(before, i) ^ ReadWord(after, i)))
            {
                end = i += sizeof(ulong); // eight bytes, all different
                continue;
            }

            if (before[i] != after[i])
            {
                end = i + 1;
            }

            i++;
        }

        return end;
    }

    private static ulong ReadWord(ReadOnlySpan<byte> bytes, int offset) =>
        Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref MemoryMarshal.GetReference(bytes), offset));

    private static bool HasZeroByte(ulong word) => ((word - 0x0101010101010101) & ~word & 0x8080808080808080) != 0;
}
