using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>The log that is uploaded, on the node that does it. Safe for use by any thread; calls may read the disk.</summary>
public interface IUploadSource
{
    /// <summary>Whose log.</summary>
    DatabaseId Database { get; }

    /// <summary>A quorum has everything up to here.</summary>
    Position Confirmed { get; }

    /// <summary>The log reaches back to here.</summary>
    Position First { get; }

    /// <summary>The database's size.</summary>
    long DatabaseBytes { get; }

    /// <summary>The epoch table as it is now; <see langword="null"/> on a node that does not know it.</summary>
    EpochTable? Epochs { get; }

    /// <summary>What is kept of the database beside its log; <see langword="null"/> on a node that leaves that to others.</summary>
    ColdRecord? Record => null;

    /// <summary>Whether an entry ends exactly here, or the log begins here.</summary>
    bool Holds(Position position);

    /// <summary>Entries right behind a position, confirmed or not; at least one if there is one, about so many bytes.</summary>
    /// <exception cref="JournalException">The log begins behind that position, or cannot be read.</exception>
    IReadOnlyList<Entry> Read(Position after, long maxBytes);

    /// <summary>Opens the main file for copying; <see langword="null"/> on a node that has none.</summary>
    IMainFile? OpenMainFile();
}
