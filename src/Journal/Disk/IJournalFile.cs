namespace ReplicatedSqlite.Journal;

/// <summary>An open file of fixed size. Reads may run beside a write.</summary>
public interface IJournalFile : IDisposable
{
    /// <summary>The size it was made with.</summary>
    long SizeBytes { get; }

    /// <summary>Writes the parts one after the other, as one write.</summary>
    void Write(long offset, IReadOnlyList<ReadOnlyMemory<byte>> parts);

    /// <summary>Fills the target.</summary>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    void Read(long offset, Span<byte> target);

    /// <summary>Makes everything written before durable (<c>fdatasync</c>).</summary>
    void SyncData();
}
