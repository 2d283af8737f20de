using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Consecutive pages of a main file in an object of their own (docs/formats.md, "Page chunk").</summary>
internal static class PageChunk
{
    private const int HeadBytes = 16;
    private const byte Version = 1;

    private static ReadOnlySpan<byte> Magic => "RSPAGECH"u8;

    public static IReadOnlyList<ReadOnlyMemory<byte>> Write(ReadOnlyMemory<byte> pages, bool compress)
    {
        var (stored, encoding) = PartEncoding.Encode(pages, compress);
        var head = new byte[HeadBytes];
        Magic.CopyTo(head);
        head[8] = Version;
        head[9] = (byte)encoding;
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(12), pages.Length);
        return [head, stored];
    }

    /// <summary>Reads the pages and checks them against the reference.</summary>
    /// <exception cref="ObjectStoreException">The object is missing, damaged, or cannot be read.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(
        IObjectStore store, string name, ChunkReference reference, int bytes, CancellationToken cancellationToken)
    {
        if (reference.StoredBytes < HeadBytes)
        {
            throw new ObjectDamagedException(name, $"{reference.StoredBytes} bytes are named for it; at least {HeadBytes} were wanted");
        }

        var stored = GC.AllocateUninitializedArray<byte>(reference.StoredBytes);
        await store.ReadAsync(name, 0, stored, cancellationToken);
        if (!stored.AsSpan().StartsWith(Magic) || stored[8] != Version)
        {
            throw new ObjectDamagedException(name, $"it begins with {Convert.ToHexStringLower(stored, 0, 9)}; a page chunk of version {Version} was wanted");
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(stored.AsSpan(12));
        if (length != bytes)
        {
            throw new ObjectDamagedException(name, $"it holds {length} bytes of pages; {bytes} were wanted");
        }

        if (PartEncoding.TryDecode(stored.AsMemory(HeadBytes), stored[9], length, out var pages) is { } fault)
        {
            throw new ObjectDamagedException(name, fault);
        }

        var hash = SHA256.HashData(pages.Span);
        return hash.AsSpan().SequenceEqual(reference.Sha256.AsSpan())
            ? pages
            : throw new ObjectDamagedException(name, $"its pages have SHA-256 {Convert.ToHexStringLower(hash)}; {Convert.ToHexStringLower(reference.Sha256.AsSpan())} was wanted");
    }
}
