using System.Buffers.Binary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>How far a database's chain reaches at least (docs/formats.md, "Head").</summary>
internal static class HeadObject
{
    private const int SizeBytes = 64;
    private const int ChecksumOffset = 60;
    private const byte Version = 1;

    private static ReadOnlySpan<byte> Magic => "RSCOLDHD"u8;

    public static byte[] Write(DatabaseId database, Position position)
    {
        var bytes = new byte[SizeBytes];
        Magic.CopyTo(bytes);
        bytes[8] = Version;
        database.Write(bytes.AsSpan(16));
        PositionBytes.Write(bytes.AsSpan(32), position);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumOffset), Crc32C.Of(bytes.AsSpan(0, ChecksumOffset)));
        return bytes;
    }

    /// <returns><see langword="null"/> if there is none: nothing was ever uploaded.</returns>
    /// <exception cref="ObjectStoreException">It is damaged, or cannot be read.</exception>
    public static async Task<Position?> ReadAsync(IObjectStore store, DatabaseId database, CancellationToken cancellationToken)
    {
        var name = ColdNames.Head(database);
        var bytes = new byte[SizeBytes];
        try
        {
            await store.ReadAsync(name, 0, bytes, cancellationToken);
        }
        catch (ObjectMissingException)
        {
            return null;
        }

        return TryRead(bytes, database, out var position) is { } fault ? throw new ObjectDamagedException(name, fault) : position;
    }

    public static string? TryRead(ReadOnlySpan<byte> bytes, DatabaseId database, out Position position)
    {
        position = default;
        if (bytes.Length != SizeBytes || !bytes.StartsWith(Magic) || bytes[8] != Version)
        {
            return $"its {bytes.Length} bytes do not begin as a head of version {Version} does";
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
