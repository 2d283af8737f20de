using System.IO.Compression;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>How bytes lie in an object: as they are, or compressed.</summary>
internal static class PartEncoding
{
    public const uint Plain = 0;
    public const uint Brotli = 1;

    private const int Quality = 1; // beyond that it takes more time than a disk saves
    private const int Window = 22;

    /// <summary>Compresses, where that is wanted and makes it shorter by an eighth at least.</summary>
    public static (ReadOnlyMemory<byte> Stored, uint Encoding) Encode(ReadOnlyMemory<byte> content, bool compress)
    {
        if (!compress || content.Length < 256)
        {
            return (content, Plain);
        }

        var target = new byte[content.Length - (content.Length / 8)];
        return BrotliEncoder.TryCompress(content.Span, target, out var written, Quality, Window) ? (target.AsMemory(0, written), Brotli) : (content, Plain);
    }

    /// <returns>What is wrong, or <see langword="null"/>.</returns>
    public static string? TryDecode(ReadOnlyMemory<byte> stored, uint encoding, long length, out ReadOnlyMemory<byte> content)
    {
        content = stored;
        switch (encoding)
        {
            case Plain:
                return stored.Length == length ? null : $"{stored.Length} plain bytes were found; {length} were wanted";
            case Brotli:
                if (length > Array.MaxLength)
                {
                    return $"{length} compressed bytes were announced; at most {Array.MaxLength} were wanted";
                }

                var target = new byte[length];
                content = target;
                return BrotliDecoder.TryDecompress(stored.Span, target, out var written) && written == length ? null
                    : $"{stored.Length} compressed bytes do not make the {length} that were wanted";
            default:
                return $"encoding {encoding} was found; this build knows 0 (plain) and 1 (Brotli)";
        }
    }
}
