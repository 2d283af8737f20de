using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>Builds the entry that opens an epoch.</summary>
public static class EpochEntry
{
    /// <summary>Encodes an epoch entry.</summary>
    /// <param name="header">With <see cref="EntryFlags.EpochEntry"/>, and <see cref="EntryFlags.Tombstone"/> for a deletion.</param>
    /// <param name="known">The epochs up to the predecessor; the entry carries them with its own added.</param>
    /// <param name="followerSet">The follower set's bytes, or nothing.</param>
    public static Entry Create(in EntryHeader header, EpochTable known, ReadOnlySpan<byte> followerSet = default)
    {
        if (!header.IsEpochEntry)
        {
            throw new ArgumentException($"Flags {header.Flags} were found; EpochEntry was wanted.", nameof(header));
        }

        var table = known.Add(header.Epoch, header.Predecessor);
        var tableBytes = EpochTableFormat.SizeOf(table);
        var setBytes = followerSet.IsEmpty ? 0 : Extension.SizeOf(followerSet.Length);
        var builder = new EntryBuilder(header, pageCount: 0, Extension.SizeOf(tableBytes) + setBytes);
        EpochTableFormat.Write(Extension.WriteItem(builder.ExtensionBytes, ExtensionTag.EpochTable, tableBytes), table);
        if (!followerSet.IsEmpty)
        {
            followerSet.CopyTo(Extension.WriteItem(builder.ExtensionBytes[Extension.SizeOf(tableBytes)..], ExtensionTag.FollowerSet, followerSet.Length));
        }

        return builder.Build(table);
    }

    internal static string? FindFault(in EntryHeader header, EpochTable table)
    {
        var ranges = table.Ranges;
        if (ranges.IsEmpty || ranges[^1].Epoch != header.Epoch || ranges[^1].FirstSequence != header.FirstSequence)
        {
            return $"the epoch table ends with epoch {table.CurrentEpoch}; epoch {header.Epoch} from sequence {header.FirstSequence} was wanted";
        }

        var before = ranges.Length == 1 ? Position.Start : table.LastOf(ranges[^2].Epoch);
        return before == header.Predecessor ? null : $"the epoch table puts the predecessor at {before}; the header at {header.Predecessor}";
    }
}
