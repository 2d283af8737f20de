using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;

namespace ReplicatedSqlite.Follower;

/// <summary>Puts an entry that came in parts together. Nobody hears of it before it is whole.</summary>
internal sealed class PartAssembly
{
    private readonly AppendPart _first;
    private readonly byte[] _bytes;
    private int _length;
    private int _next;

    private PartAssembly(AppendPart first, int totalBytes)
    {
        _first = first;
        _bytes = GC.AllocateUninitializedArray<byte>(totalBytes);
    }

    /// <summary>The whole entry's bytes, once the last part was taken.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>Begins with part 0.</summary>
    /// <returns><see langword="null"/> if it cannot be one.</returns>
    public static PartAssembly? TryBegin(AppendPart first)
    {
        const int enough = 8; // the entry's length is in its first 8 bytes
        if (first.Number != 0 || first.Bytes.Length < enough)
        {
            return null;
        }

        var total = Entry.ReadLength(first.Bytes.Span);
        return total >= first.Bytes.Length && total <= EntryLimits.MaxEntryBytes ? new(first, total) : null;
    }

    /// <summary>Takes the next part.</summary>
    /// <returns><see langword="false"/> if it is not the next part of this entry.</returns>
    public bool TryAdd(AppendPart part)
    {
        if (part.Number != _next || part.Promise != _first.Promise || part.Previous != _first.Previous
            || (part.EntryEpoch, part.FirstSequence) != (_first.EntryEpoch, _first.FirstSequence)
            || part.Bytes.Length > _bytes.Length - _length || part.IsLast != (part.Bytes.Length == _bytes.Length - _length))
        {
            return false;
        }

        part.Bytes.Span.CopyTo(_bytes.AsSpan(_length));
        _length += part.Bytes.Length;
        _next++;
        return true;
    }
}
