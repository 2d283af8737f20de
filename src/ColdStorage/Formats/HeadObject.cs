using System.Buffers.Binary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>How far a database's chain reaches at least (docs/formats.md, "Head").</summary>
internal static class HeadObject
{
    private const int SizeBytes = 64;
    private const int ChecksumOffset = 60;
    private const byte Version = 1;

    private static ReadOnlySpan<byte> HeadMagic => "RSCOLDHD"u8;

    private static ReadOnlySpan<byte> FloorMagic => "RSCOLDFL"u8;

    public static byte[] Write(DatabaseId database, Position position, bool isFloor = false)
    {
        var bytes = new byte[SizeBytes];
        (isFloor ? FloorMagic : HeadMagic).CopyTo(bytes);
        bytes[8] = Version;
        database.Write(bytes.AsSpan(16));
        PositionBytes.Write(bytes.AsSpan(32), position);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumOffset), Crc32C.Of(bytes.AsSpan(0, ChecksumOffset)));
        return bytes;
    }

    /// <returns><see langword="null"/> if there is none: nothing was ever uploaded.</returns>
    /// <exception cref="ObjectStoreException">It is damaged, or cannot be read.</exception>
    public static Task<Position?> ReadAsync(IObjectStore store, DatabaseId database, CancellationToken cancellationToken) =>
        ReadAsync(store, database, ColdNames.Head(database), isFloor: false, cancellationToken);

    /// <summary>What comes before may be gone: the states from here on are kept.</summary>
    /// <returns><see langword="null"/> if nothing was ever collected.</returns>
    /// <exception cref="ObjectStoreException">It is damaged, or cannot be read.</exception>
    public static Task<Position?> ReadFloorAsync(IObjectStore store, DatabaseId database, CancellationToken cancellationToken) =>
        ReadAsync(store, database, ColdNames.Floor(database), isFloor: true, cancellationToken);

    private static async Task<Position?> ReadAsync(IObjectStore store, DatabaseId database, string name, bool isFloor, CancellationToken cancellationToken)
    {
        var bytes = new byte[SizeBytes];
        try
        {
            await store.ReadAsync(name, 0, bytes, cancellationToken);
        }
        catch (ObjectMissingException)
        {
            return null;
        }

        return TryRead(bytes, database, out var position, isFloor) is { } fault ? throw new ObjectDamagedException(name, fault) : position;
    }

    public static string? TryRead(ReadOnlySpan<byte> bytes, DatabaseId database, out Position position, bool isFloor = false)
    {
        position = default;
        if (bytes.Length != SizeBytes || !bytes.StartsWith(isFloor ? FloorMagic : HeadMagic) || bytes[8] != Version)
        {
            return $"its {bytes.Length} bytes do not begin as a {(isFloor ? "floor" : "head")} of version {Version} does";
        }

        var stored = BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumOffset..]);
        if (Crc32C.Of(bytes[..ChecksumOffset]) is var computed && stored != computed)
        {
            return $"checksum {stored:x8} was found; {computed:x8} was wanted";
        }

        if (DatabaseId.Read(bytes[16..]) is var found && found != database)
        {
            return $"it belongs to {found}";
        }

        position = PositionBytes.Read(bytes[32..]);
        return null;
    }
}
