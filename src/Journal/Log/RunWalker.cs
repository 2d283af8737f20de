using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>Finds and reads the entries of a run by the links in their records. Stateless; any thread.</summary>
internal static class RunWalker
{
    private const int HeaderBytes = RecordHeader.SizeBytes + EntryLayout.MaxHeaderBytes;

    /// <summary>Where an entry's record stands, and between which positions it lies.</summary>
    public readonly record struct Found(int Offset, int BodyBytes, Position Predecessor, Position End);

    /// <summary>The run's entries, first to last.</summary>
    public static List<Found> List(in LogSegment run)
    {
        var entries = new List<Found>(run.Count);
        for (var offset = run.LastOffset; ;)
        {
            var (record, found) = ReadHeader(run.File, offset);
            entries.Add(found);
            if (offset == run.FirstOffset)
            {
                break;
            }

            if (record.Previous < run.FirstOffset || record.Previous >= offset)
            {
                throw new JournalDamagedException(run.File.Name, offset, $"a link to offset {record.Previous} was found", $"one from {run.FirstOffset} on was wanted");
            }

            offset = record.Previous;
        }

        entries.Reverse();
        return entries;
    }

    /// <summary>The last entry of the run that ends at or before <paramref name="end"/>, if it is exactly that one.</summary>
    public static Found? Find(in LogSegment run, Position end)
    {
        foreach (var found in List(run))
        {
            if (found.End == end)
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>Reads and checks one entry whole.</summary>
    public static Entry Read(JournalFile file, in Found found)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(found.BodyBytes);
        file.Content.Read(found.Offset + RecordHeader.SizeBytes, bytes);
        return Entry.TryDecode(bytes, out var entry, out var fault)
            ? entry
            : throw new JournalDamagedException(file.Name, found.Offset, fault, $"the entry that ends at {found.End} was wanted");
    }

    /// <summary>The end of an entry from its encoded header.</summary>
    public static Position EndOf(ReadOnlySpan<byte> encoded, in EntryHeader header) =>
        new(header.Epoch, header.LastSequence, EntryLayout.ReadChainHash(encoded));

    private static (RecordHeader Record, Found Found) ReadHeader(JournalFile file, int offset)
    {
        Span<byte> bytes = stackalloc byte[HeaderBytes];
        bytes = bytes[..Math.Clamp(file.SizeBytes - offset, 0, HeaderBytes)]; // an entry without pages may end before the longest header would
        file.Content.Read(offset, bytes);
        var fault = RecordHeader.TryRead(bytes, file.SizeBytes - offset, out var record);
        EntryHeader header = default;
        fault ??= record.Kind == RecordKind.Entry
            ? EntryLayout.TryRead(bytes[RecordHeader.SizeBytes..], out header, out _)
            : $"a record of kind {record.Kind} was found";
        return fault is null
            ? (record, new(offset, record.BodyBytes, header.Predecessor, EndOf(bytes[RecordHeader.SizeBytes..], header)))
            : throw new JournalDamagedException(file.Name, offset, fault, "an entry was wanted");
    }
}
