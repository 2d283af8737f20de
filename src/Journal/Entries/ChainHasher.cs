using System.Security.Cryptography;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>The chain hash of one encoded entry.</summary>
internal static class ChainHasher
{
    // One per thread: setting up a hash costs as much as hashing a small entry.
    [ThreadStatic]
    private static IncrementalHash? _hash;

    public static ChainHash Compute(ChainHash previous, ReadOnlySpan<byte> encoded)
    {
        var hash = _hash ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> start = stackalloc byte[ChainHash.SizeBytes + EntryLayout.ChainHashOffset];
        previous.Write(start);
        encoded[..EntryLayout.ChainHashOffset].CopyTo(start[ChainHash.SizeBytes..]);
        hash.AppendData(start);
        hash.AppendData(encoded[(EntryLayout.ChainHashOffset + ChainHash.SizeBytes)..^EntryLayout.ChecksumBytes]);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return ChainHash.Read(digest);
    }
}
