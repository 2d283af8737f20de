using ReplicatedSqlite.Journal;

namespace ReplicatedSqlite.Follower;

/// <summary>A node's journal and how it is watched over.</summary>
public sealed record FollowerNodeOptions
{
    /// <summary>The journal's folder.</summary>
    public required string Folder { get; init; }

    /// <summary>How the journal is laid out.</summary>
    public JournalOptions Journal { get; init; } = new();

    /// <summary>Where it lies.</summary>
    public IJournalDisk Disk { get; init; } = new FileSystemDisk();

    /// <summary>What the node's folder remembers of its journal; <see langword="null"/> at the first start.</summary>
    public JournalRecord? Known { get; init; }

    /// <summary>Writes down what to remember, durably: at the start, after the journal was opened again, and at a clean stop.</summary>
    public Action<JournalRecord> Remember { get; init; } = static _ => { };

    /// <summary>How often a failed journal is opened again before the node gives it up; each try that succeeds begins to count anew.</summary>
    public int MaxReopens { get; init; } = 10;

    /// <summary>The pause before the first try; it doubles up to 5 s.</summary>
    public TimeSpan ReopenPause { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How often idle databases are looked for and forgotten.</summary>
    public TimeSpan SweepEvery { get; init; } = TimeSpan.FromSeconds(1);
}
