using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>What the primaries of one node work with.</summary>
public sealed record PrimaryContext
{
    private ImageBudget? _images; // made from the options at first use

    /// <summary>This node.</summary>
    public required NodeRecord Self { get; init; }

    /// <summary>Hands out epochs.</summary>
    public required IControlPlane Control { get; init; }

    /// <summary>This node's journal: the first follower of every database that is led here.</summary>
    public required NodeJournal Journal { get; init; }

    /// <summary>Where the writers' turns run.</summary>
    public required BlockingWorkers Writers { get; init; }

    /// <summary>Where blocking reads run.</summary>
    public required BlockingWorkers Readers { get; init; }

    /// <summary>Gives each database its folder.</summary>
    public required Func<Protocol.DatabaseId, string> FolderOf { get; init; }

    /// <summary>Clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>For what an operator should know.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>Settings.</summary>
    public PrimaryOptions Options { get; init; } = new();

    internal ImageBudget Images => LazyInitializer.EnsureInitialized(ref _images, () => new ImageBudget(Options.ImageCacheBytes));
}
