using System.Buffers.Binary;
using System.Collections.Immutable;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>The bytes of an <see cref="EpochTable"/>, as epoch entries and snapshots carry them (docs/formats.md).</summary>
public static class EpochTableFormat
{
    /// <summary>Rows that a table may have.</summary>
    public const int MaxRows = 65536;

    private const int CountBytes = 4;
    private const int RowBytes = 4 + 8 + 8 + ChainHash.SizeBytes;

    /// <summary>Bytes that <see cref="Write"/> fills.</summary>
    public static int SizeOf(EpochTable table) => CountBytes + (table.Ranges.Length * RowBytes);

    /// <summary>Writes the table.</summary>
    public static void Write(Span<byte> target, EpochTable table)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target, table.Ranges.Length);
        target = target[CountBytes..];
        foreach (var range in table.Ranges)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(target, range.Epoch);
            BinaryPrimitives.WriteUInt64LittleEndian(target[4..], range.FirstSequence);
            BinaryPrimitives.WriteUInt64LittleEndian(target[12..], range.LastSequence);
            range.HashAtEnd.Write(target[20..]);
            target = target[RowBytes..];
        }
    }

    /// <summary>Reads a table.</summary>
    /// <exception cref="EntryFormatException">The bytes are not a table.</exception>
    public static EpochTable Read(ReadOnlySpan<byte> source) =>
        TryRead(source, out var table) is { } fault ? throw new EntryFormatException($"Not an epoch table: {fault}.") : table;

    internal static string? TryRead(ReadOnlySpan<byte> source, out EpochTable table)
    {
        table = EpochTable.Empty;
        var count = source.Length < CountBytes ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(source);
        if (source.Length < CountBytes || count > MaxRows || source.Length != CountBytes + (count * RowBytes))
        {
            return $"{source.Length} bytes for {count} rows were found; {CountBytes} and {RowBytes} a row, at most {MaxRows} rows, were wanted";
        }

        source = source[CountBytes..];
        var rows = ImmutableArray.CreateBuilder<EpochRange>((int)count);
        for (; !source.IsEmpty; source = source[RowBytes..])
        {
            rows.Add(new(
                BinaryPrimitives.ReadUInt32LittleEndian(source),
                BinaryPrimitives.ReadUInt64LittleEndian(source[4..]),
                BinaryPrimitives.ReadUInt64LittleEndian(source[12..]),
                ChainHash.Read(source[20..])));
        }

        var ranges = rows.MoveToImmutable();
        if (FindFault(ranges) is { } fault)
        {
            return fault;
        }

        table = EpochTable.Create(ranges);
        return null;
    }

    internal static string? FindFault(ImmutableArray<EpochRange> ranges)
    {
        if (ranges.Length > MaxRows)
        {
            return $"{ranges.Length} rows were found; at most {MaxRows} were wanted";
        }

        for (var i = 0; i < ranges.Length; i++)
        {
            var range = ranges[i];
            var last = i == ranges.Length - 1;
            if (range.Epoch == 0 || range.LastSequence < range.FirstSequence || range.IsOpen != last)
            {
                return $"row {i} is epoch {range.Epoch}, sequences {range.FirstSequence} to {range.LastSequence}; an epoch from 1 and a range that is open in the last row only were wanted";
            }

            if (i > 0 && (range.Epoch <= ranges[i - 1].Epoch || range.FirstSequence != ranges[i - 1].LastSequence + 1))
            {
                return $"row {i} (epoch {range.Epoch} from {range.FirstSequence}) does not go on where epoch {ranges[i - 1].Epoch} ends, at {ranges[i - 1].LastSequence}";
            }

            if (range.IsOpen && range.HashAtEnd != ChainHash.Zero)
            {
                return $"the open row of epoch {range.Epoch} has hash {range.HashAtEnd}; zero was wanted";
            }
        }

        return null;
    }
}
