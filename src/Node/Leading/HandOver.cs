using System.Collections.Concurrent;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>Lets other nodes lead what a node leads that is about to stop: planned moves, a few at a time, as long as there is time.</summary>
/// <remarks>What is left is taken over like that of any node that goes. Idle databases are among it: nobody waits for them.</remarks>
internal sealed class HandOver(NodeContext node, LocalCopies copies)
{
    private const int AtOnce = 8;
    private const int Tries = 2;

    private readonly ConcurrentDictionary<DatabaseId, int> _tries = new();
    private int _moved; // by Interlocked

    public async Task RunAsync(TimeSpan patience)
    {
        var started = node.Time.GetTimestamp();
        using var deadline = new CancellationTokenSource(patience, node.Time);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = deadline.Token };
        try
        {
            while (Led() is { Count: > 0 } led) // requests may have activated others meanwhile
            {
                await Parallel.ForEachAsync(led, parallel, async (database, cancellationToken) => await MoveAsync(database, cancellationToken));
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            // No more time.
        }

        var left = copies.Primaries.Active.Count(database => node.Control.Find(database)?.PrimaryNode == node.Self.Id);
        if (_moved + left > 0)
        {
            NodeLog.HandedOver(node.Logger, _moved, node.Time.GetElapsedTime(started).TotalMilliseconds, left);
        }
    }

    private List<DatabaseRecord> Led() => [.. copies.Primaries.Active
        .Where(database => _tries.GetValueOrDefault(database) < Tries)
        .Select(node.Control.Find)
        .OfType<DatabaseRecord>()
        .Where(database => database.PrimaryNode == node.Self.Id)];

    private async Task MoveAsync(DatabaseRecord database, CancellationToken cancellationToken)
    {
        _tries.AddOrUpdate(database.Id, 1, static (_, tries) => tries + 1);
        if (Targets(database) is not { Count: > 0 } targets)
        {
            return;
        }

        try
        {
            await copies.Leaderships.MoveAsync(database, targets, cancellationToken);
            Interlocked.Increment(ref _moved);
        }
        catch (Exception e) when (e is RequestException or RpcException or IOException or Journal.JournalException or ObjectDisposedException)
        {
            NodeLog.NotHandedOver(node.Logger, database.Id, e.Message);
        }
    }

    // Followers have the log. The region that the database should be led in comes first, then the nearest.
    private List<NodeRecord> Targets(DatabaseRecord database) => [.. node.Control.Nodes
        .Where(other => other.Id != node.Self.Id && other.MayLead && !node.Reach.IsLeaving(other.Id) && !node.Reach.IsSilent(other.Id)
            && database.Followers.Any(place => place.Journal == other.JournalId))
        .OrderByDescending(other => other.Region == database.PrimaryRegion)
        .ThenBy(other => node.Reach.RoundTripTo(other.Id) ?? TimeSpan.MaxValue)
        .ThenBy(static other => other.Id, StringComparer.Ordinal)];
}
