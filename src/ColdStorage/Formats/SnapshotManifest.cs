using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Numerics;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>A snapshot: which chunks hold a main file's pages, and which states of the log those are (docs/formats.md, "Snapshot").</summary>
internal sealed record SnapshotManifest
{
    private const int HeadBytes = 128;
    private const int RowBytes = 40;
    private const int TailBytes = 16;
    private const byte Version = 1;
    private const int MaxChunks = 1 << 24;

    public required DatabaseId Database { get; init; }

    /// <summary>The pages hold everything up to here.</summary>
    public required Position From { get; init; }

    /// <summary>They may be as new as this.</summary>
    public required Position To { get; init; }

    public required long CommitTime { get; init; }

    public required int PageSizeBytes { get; init; }

    public required uint SizePages { get; init; }

    public required uint PagesPerChunk { get; init; }

    public required EpochTable Epochs { get; init; }

    public required ImmutableArray<ChunkReference> Chunks { get; init; }

    public string Name => ColdNames.Snapshot(Database, From, To);

    private static ReadOnlySpan<byte> Magic => "RSSNAPSH"u8;

    private static ReadOnlySpan<byte> EndMarker => "RSSNAPND"u8;

    /// <summary>The first page of a chunk.</summary>
    public uint FirstPageOf(int chunk) => ((uint)chunk * PagesPerChunk) + 1;

    /// <summary>How many pages a chunk stands for, the lock page included.</summary>
    public uint PageCountOf(int chunk) => Math.Min(PagesPerChunk, SizePages - FirstPageOf(chunk) + 1);

    /// <summary>The bytes of a chunk's pages: without the lock page.</summary>
    public int BytesOf(int chunk)
    {
        var first = FirstPageOf(chunk);
        var count = PageCountOf(chunk);
        var lockPage = EntryLimits.LockPage(PageSizeBytes);
        return (int)(lockPage >= first && lockPage < first + count ? count - 1 : count) * PageSizeBytes;
    }

    public byte[] Write()
    {
        var epochBytes = EpochTableFormat.SizeOf(Epochs);
        var bytes = new byte[HeadBytes + (Chunks.Length * RowBytes) + epochBytes + TailBytes];
        Magic.CopyTo(bytes);
        bytes[8] = Version;
        bytes[9] = (byte)BitOperations.Log2((uint)PageSizeBytes);
        Database.Write(bytes.AsSpan(16));
        PositionBytes.Write(bytes.AsSpan(32), From);
        PositionBytes.Write(bytes.AsSpan(60), To);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(88), CommitTime);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(96), SizePages);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(100), PagesPerChunk);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(104), Chunks.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(108), epochBytes);
        var rest = bytes.AsSpan(HeadBytes);
        foreach (var chunk in Chunks)
        {
            chunk.Sha256.AsSpan().CopyTo(rest);
            BinaryPrimitives.WriteInt32LittleEndian(rest[32..], chunk.StoredBytes);
            rest = rest[RowBytes..];
        }

        EpochTableFormat.Write(rest, Epochs);
        rest = bytes.AsSpan(bytes.Length - TailBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(rest, Crc32C.Of(bytes.AsSpan(0, bytes.Length - TailBytes)));
        EndMarker.CopyTo(rest[8..]);
        return bytes;
    }

    /// <summary>Reads a snapshot's manifest and checks it.</summary>
    /// <exception cref="ObjectStoreException">It is missing, damaged, or cannot be read.</exception>
    public static async Task<SnapshotManifest> ReadAsync(IObjectStore store, DatabaseId database, StoredObject item, CancellationToken cancellationToken)
    {
        var bytes = new byte[Math.Min(item.SizeBytes, HeadBytes + ((long)MaxChunks * RowBytes))];
        await store.ReadAsync(item.Name, 0, bytes, cancellationToken);
        if (TryRead(bytes, out var manifest) is { } fault)
        {
            throw new ObjectDamagedException(item.Name, fault);
        }

        return manifest!.Database == database && manifest.Name == item.Name
            ? manifest
            : throw new ObjectDamagedException(item.Name, $"it holds {manifest.From} to {manifest.To} of {manifest.Database}, which is not what its name says");
    }

    /// <returns>What is wrong, or <see langword="null"/>.</returns>
    public static string? TryRead(ReadOnlySpan<byte> bytes, out SnapshotManifest? manifest)
    {
        manifest = null;
        if (bytes.Length < HeadBytes + TailBytes || !bytes.StartsWith(Magic))
        {
            return $"its {bytes.Length} bytes do not begin as a snapshot does";
        }

        if (bytes[8] != Version)
        {
            return $"version {bytes[8]} was found; this build knows {Version}";
        }

        if (!bytes[^EndMarker.Length..].SequenceEqual(EndMarker))
        {
            return "its end marker is missing: it was cut short";
        }

        var stored = BinaryPrimitives.ReadUInt32LittleEndian(bytes[^TailBytes..]);
        if (Crc32C.Of(bytes[..^TailBytes]) is var computed && stored != computed)
        {
            return $"checksum {stored:x8} was found; {computed:x8} was wanted";
        }

        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[104..]);
        var epochBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[108..]);
        var sizePages = BinaryPrimitives.ReadUInt32LittleEndian(bytes[96..]);
        var perChunk = BinaryPrimitives.ReadUInt32LittleEndian(bytes[100..]);
        if (count is < 0 or > MaxChunks || epochBytes < 0 || perChunk == 0 || ((ulong)sizePages + perChunk - 1) / perChunk != (ulong)count
            || bytes.Length != HeadBytes + ((long)count * RowBytes) + epochBytes + TailBytes)
        {
            return $"{bytes.Length} bytes with {count} chunks of {perChunk} pages for {sizePages} pages do not fit together";
        }

        var chunks = ImmutableArray.CreateBuilder<ChunkReference>(count);
        for (var row = bytes.Slice(HeadBytes, count * RowBytes); !row.IsEmpty; row = row[RowBytes..])
        {
            chunks.Add(new ChunkReference([.. row[..32]], BinaryPrimitives.ReadInt32LittleEndian(row[32..])));
            if (BinaryPrimitives.ReadUInt32LittleEndian(row[36..]) is var owner && owner != 0)
            {
                return $"a chunk of owner {owner} was found; this build knows 0";
            }
        }

        try
        {
            manifest = new SnapshotManifest
            {
                Database = DatabaseId.Read(bytes[16..]),
                From = PositionBytes.Read(bytes[32..]),
                To = PositionBytes.Read(bytes[60..]),
                CommitTime = BinaryPrimitives.ReadInt64LittleEndian(bytes[88..]),
                PageSizeBytes = 1 << (bytes[9] & 31),
                SizePages = sizePages,
                PagesPerChunk = perChunk,
                Epochs = EpochTableFormat.Read(bytes.Slice(HeadBytes + (count * RowBytes), epochBytes)),
                Chunks = chunks.MoveToImmutable(),
            };
            return null;
        }
        catch (EntryFormatException e)
        {
            return e.Message;
        }
    }
}

/// <summary>Where a chunk of pages lies, and what they are.</summary>
internal readonly record struct ChunkReference(ImmutableArray<byte> Sha256, int StoredBytes);
