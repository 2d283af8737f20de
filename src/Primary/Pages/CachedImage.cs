namespace ReplicatedSqlite.Primary;

/// <summary>A page as the last entry that had it left it.</summary>
internal sealed class CachedImage(uint pageNumber, int pageSizeBytes)
{
    public uint PageNumber { get; set; } = pageNumber;

    public byte[] Bytes { get; } = new byte[pageSizeBytes];

    /// <summary>CRC-32C of the bytes.</summary>
    public uint Checksum { get; private set; }

    /// <summary>Asked for since the clock's hand passed.</summary>
    public bool IsUsed { get; set; }

    public void Set(ReadOnlySpan<byte> image, uint checksum)
    {
        image.CopyTo(Bytes);
        Checksum = checksum;
    }
}
