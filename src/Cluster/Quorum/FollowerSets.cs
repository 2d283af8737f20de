using System.Buffers.Binary;
using System.Collections.Immutable;
using ReplicatedSqlite.Journal;

namespace ReplicatedSqlite.Cluster;

/// <summary>What an epoch entry says about followers: the set in force from it on, and, when it changes the set, the one before.</summary>
/// <remarks>
/// While the entry is not confirmed, both count: a leadership seals R of each, and the entry is confirmed once Q of each have it. From then on the new one alone.
/// Format: docs/formats.md, "Follower sets".
/// </remarks>
/// <param name="Old">The set before; <see langword="null"/> when the entry changes nothing.</param>
/// <param name="Current">The set from this entry on.</param>
public sealed record FollowerSets(FollowerSet? Old, FollowerSet Current)
{
    private const byte Version = 1;

    /// <summary>The sets whose quorums an unconfirmed entry needs.</summary>
    public ImmutableArray<FollowerSet> Both => Old is null ? [Current] : [Old, Current];

    /// <summary>Encodes: version u8, count of sets u8 (1 or 2), then each set, the old one first: N u8, Q u8, N journal ids of 16 bytes, big-endian.</summary>
    public byte[] Encode()
    {
        var sets = Both;
        var bytes = new byte[2 + sets.Sum(static set => 2 + (16 * set.Members.Length))];
        bytes[0] = Version;
        bytes[1] = (byte)sets.Length;
        var at = 2;
        foreach (var set in sets)
        {
            bytes[at++] = (byte)set.Members.Length;
            bytes[at++] = (byte)set.Quorum;
            foreach (var member in set.Members)
            {
                member.TryWriteBytes(bytes.AsSpan(at), bigEndian: true, out _);
                at += 16;
            }
        }

        return bytes;
    }

    /// <summary>Reads what <see cref="Encode"/> wrote.</summary>
    /// <exception cref="EntryFormatException">It is something else, and what.</exception>
    public static FollowerSets Decode(ReadOnlySpan<byte> source)
    {
        if (source.Length < 2 || source[0] != Version || source[1] is not (1 or 2))
        {
            throw new EntryFormatException($"Not follower sets: {source.Length} bytes that begin {Convert.ToHexStringLower(source[..Math.Min(2, source.Length)])} were found; version {Version} and one or two sets were wanted.");
        }

        var count = source[1];
        source = source[2..];
        var first = ReadSet(ref source);
        var second = count == 2 ? ReadSet(ref source) : null;
        return source.IsEmpty
            ? second is null ? new(null, first) : new(first, second)
            : throw new EntryFormatException($"Not follower sets: {source.Length} bytes are left over.");
    }

    /// <summary>The sets that an epoch entry carries; <see langword="null"/> for any other entry.</summary>
    /// <exception cref="EntryFormatException">They are damaged.</exception>
    public static FollowerSets? Of(Entry entry) =>
        entry.Header.IsEpochEntry && entry.TryGetExtension(ExtensionTag.FollowerSet, out var payload) ? Decode(payload.Span) : null;

    private static FollowerSet ReadSet(ref ReadOnlySpan<byte> source)
    {
        if (source.Length < 2 || source.Length < 2 + (16 * source[0]))
        {
            throw new EntryFormatException($"Not follower sets: they end after {source.Length} bytes, in the middle of a set.");
        }

        int members = source[0], quorum = source[1];
        var ids = new Guid[members];
        for (var i = 0; i < members; i++)
        {
            ids[i] = new Guid(source.Slice(2 + (16 * i), 16), bigEndian: true);
        }

        source = source[(2 + (16 * members))..];
        try
        {
            return new FollowerSet(ids, quorum);
        }
        catch (ArgumentException impossible)
        {
            throw new EntryFormatException($"Not follower sets: {impossible.Message}");
        }
    }
}
