using System.Buffers.Binary;
using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

/// <summary>What a follower must not forget of one database beside its log. Format: docs/formats.md, "Follower's note".</summary>
/// <param name="Promise">The leadership that was promised last.</param>
/// <param name="IsDeleted">The promise was a deleted database's last.</param>
/// <param name="Confirmed">The greatest mark that was known when the note was written; may be behind, never ahead.</param>
/// <param name="Sets">The follower sets in the log, by the epoch entry that decided them, oldest first: from those in force at the log's base on.</param>
internal sealed record FollowerNote(Promise Promise, bool IsDeleted, Position Confirmed, ImmutableArray<KnownSets> Sets)
{
    /// <summary>Most sets in one note, so that it fits the journal's 64 KiB.</summary>
    public const int MaxSets = 128;

    private const byte Version = 1;
    private const byte DeletedFlag = 1;
    private const int HeaderBytes = 16 + Position.SizeBytes;

    /// <summary>Encodes it.</summary>
    public byte[] Encode()
    {
        var sets = Sets.Select(known => (known.DecidedAt, Bytes: known.Sets.Encode())).ToList();
        var bytes = new byte[HeaderBytes + sets.Sum(known => Position.SizeBytes + 2 + known.Bytes.Length)];
        bytes[0] = Version;
        bytes[1] = IsDeleted ? DeletedFlag : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2), (ushort)sets.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), Promise.Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), Promise.Activation);
        WritePosition(bytes.AsSpan(16), Confirmed);
        var rest = bytes.AsSpan(HeaderBytes);
        foreach (var (decidedAt, encoded) in sets)
        {
            WritePosition(rest, decidedAt);
            BinaryPrimitives.WriteUInt16LittleEndian(rest[Position.SizeBytes..], (ushort)encoded.Length);
            encoded.CopyTo(rest[(Position.SizeBytes + 2)..]);
            rest = rest[(Position.SizeBytes + 2 + encoded.Length)..];
        }

        return bytes;
    }

    /// <summary>Reads what <see cref="Encode"/> wrote.</summary>
    /// <exception cref="EntryFormatException">It is something else, and what.</exception>
    public static FollowerNote Decode(ReadOnlySpan<byte> source)
    {
        if (source.Length < HeaderBytes || source[0] != Version || (source[1] & ~DeletedFlag) != 0)
        {
            throw new EntryFormatException(
                $"Not a follower's note: {source.Length} bytes that begin {Convert.ToHexStringLower(source[..Math.Min(2, source.Length)])} were found; at least {HeaderBytes} of version {Version} were wanted.");
        }

        var isDeleted = (source[1] & DeletedFlag) != 0;
        var count = BinaryPrimitives.ReadUInt16LittleEndian(source[2..]);
        var promise = new Promise(BinaryPrimitives.ReadUInt32LittleEndian(source[4..]), BinaryPrimitives.ReadUInt64LittleEndian(source[8..]));
        var confirmed = ReadPosition(source[16..]);
        source = source[HeaderBytes..];
        var sets = ImmutableArray.CreateBuilder<KnownSets>(count);
        for (var i = 0; i < count; i++)
        {
            const int head = Position.SizeBytes + 2;
            var length = source.Length < head ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(source[Position.SizeBytes..]);
            if (source.Length < head + length)
            {
                throw new EntryFormatException($"Not a follower's note: it ends in the middle of follower sets {i + 1} of {count}.");
            }

            var decidedAt = ReadPosition(source);
            if (i > 0 && decidedAt <= sets[i - 1].DecidedAt)
            {
                throw new EntryFormatException($"Not a follower's note: sets decided at {decidedAt} were found behind those of {sets[i - 1].DecidedAt}.");
            }

            sets.Add(new(decidedAt, FollowerSets.Decode(source.Slice(head, length))));
            source = source[(head + length)..];
        }

        return source.IsEmpty
            ? new(promise, isDeleted, confirmed, sets.MoveToImmutable())
            : throw new EntryFormatException($"Not a follower's note: {source.Length} bytes are left over.");
    }

    private static void WritePosition(Span<byte> target, Position position)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, position.Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(target[4..], position.Sequence);
        position.Hash.Write(target[12..]);
    }

    private static Position ReadPosition(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt32LittleEndian(source), BinaryPrimitives.ReadUInt64LittleEndian(source[4..]), ChainHash.Read(source[12..]));
}
