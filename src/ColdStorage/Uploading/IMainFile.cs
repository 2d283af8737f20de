using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>A main file that is copied while checkpoints go on writing it. Used by one thread at a time.</summary>
public interface IMainFile : IDisposable
{
    /// <summary>Bytes of a page.</summary>
    int PageSizeBytes { get; }

    /// <summary>What the sidecar says now: everything up to the first position is in the file, and pages may be as new as the second.</summary>
    (Position From, Position To) ReadMarks();

    /// <summary>Reads pages as they lie in the file.</summary>
    /// <param name="firstPage">From this one on.</param>
    /// <param name="target">Whole pages.</param>
    /// <returns>How many pages the file has there; fewer than the target holds only at its end.</returns>
    int ReadPages(uint firstPage, Span<byte> target);
}
