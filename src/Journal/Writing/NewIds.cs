using System.Buffers.Binary;

namespace ReplicatedSqlite.Journal;

/// <summary>Ids for a journal and its files: 128 random bits at the start, counted on from there. Any thread.</summary>
/// <remarks><see cref="Random"/> may be used by one thread at a time, and files are made on another thread than the one that opened the journal.</remarks>
internal sealed class NewIds
{
    private readonly UInt128 _first;
    private long _count;

    public NewIds(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        _first = BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    public Guid Next()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, unchecked(_first + (ulong)Interlocked.Increment(ref _count)));
        return new Guid(bytes, bigEndian: true);
    }
}
