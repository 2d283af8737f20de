using System.Buffers.Binary;
using System.Numerics;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Where a fork left its parent: what comes before is the parent's, and is not copied (docs/formats.md, "Origin").</summary>
public sealed record ColdOrigin
{
    /// <summary>Forks of forks: a restore reads along all of them, so there is an end to it.</summary>
    public const int MaxDepth = 32;

    private const int HeadBytes = 96;
    private const byte Version = 1;

    /// <summary>The fork.</summary>
    public required DatabaseId Database { get; init; }

    /// <summary>Whose state it began with.</summary>
    public required DatabaseId Parent { get; init; }

    /// <summary>The end of the parent's entry with which it began.</summary>
    public required Position Position { get; init; }

    /// <summary>When that was committed.</summary>
    public required long CommitTimeMicroseconds { get; init; }

    /// <summary>Bytes of a page.</summary>
    public required int PageSizeBytes { get; init; }

    /// <summary>The database's size there.</summary>
    public required uint SizePages { get; init; }

    /// <summary>1 for a fork of a database that is none, and so on.</summary>
    public required int Depth { get; init; }

    /// <summary>The epoch table there.</summary>
    public required EpochTable Epochs { get; init; }

    private static ReadOnlySpan<byte> Magic => "RSORIGIN"u8;

    internal byte[] Write()
    {
        var bytes = new byte[HeadBytes + EpochTableFormat.SizeOf(Epochs) + 4];
        Magic.CopyTo(bytes);
        (bytes[8], bytes[9], bytes[10]) = (Version, (byte)BitOperations.Log2((uint)PageSizeBytes), (byte)Depth);
        Database.Write(bytes.AsSpan(16));
        Parent.Write(bytes.AsSpan(32));
        PositionBytes.Write(bytes.AsSpan(48), Position);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(76), CommitTimeMicroseconds);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(84), SizePages);
        EpochTableFormat.Write(bytes.AsSpan(HeadBytes), Epochs);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4), Crc32C.Of(bytes.AsSpan(0, bytes.Length - 4)));
        return bytes;
    }

    /// <returns><see langword="null"/> if the database is no fork.</returns>
    /// <exception cref="ObjectStoreException">It is damaged, or cannot be read.</exception>
    internal static async Task<ColdOrigin?> ReadAsync(IObjectStore store, DatabaseId database, CancellationToken cancellationToken)
    {
        var name = ColdNames.Origin(database);
        if (await store.FindAsync(name, cancellationToken) is not { } found)
        {
            return null;
        }

        var bytes = new byte[found.SizeBytes];
        await store.ReadAsync(name, 0, bytes, cancellationToken);
        return TryRead(bytes, database, out var origin) is { } fault ? throw new ObjectDamagedException(name, fault) : origin;
    }

    /// <returns>What is wrong, or <see langword="null"/>.</returns>
    internal static string? TryRead(ReadOnlySpan<byte> bytes, DatabaseId database, out ColdOrigin? origin)
    {
        origin = null;
        if (bytes.Length < HeadBytes + 8 || !bytes.StartsWith(Magic) || bytes[8] != Version)
        {
            return $"its {bytes.Length} bytes do not begin as an origin of version {Version} does";
        }

        var stored = BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]);
        if (Crc32C.Of(bytes[..^4]) is var computed && stored != computed)
        {
            return $"checksum {stored:x8} was found; {computed:x8} was wanted";
        }

        try
        {
            origin = new ColdOrigin
            {
                Database = DatabaseId.Read(bytes[16..]),
                Parent = DatabaseId.Read(bytes[32..]),
                Position = PositionBytes.Read(bytes[48..]),
                CommitTimeMicroseconds = BinaryPrimitives.ReadInt64LittleEndian(bytes[76..]),
                PageSizeBytes = 1 << (bytes[9] & 31),
                SizePages = BinaryPrimitives.ReadUInt32LittleEndian(bytes[84..]),
                Depth = bytes[10],
                Epochs = EpochTableFormat.Read(bytes[HeadBytes..^4]),
            };
            return origin.Database == database ? null : $"it is of {origin.Database}";
        }
        catch (EntryFormatException e)
        {
            return e.Message;
        }
    }
}
