using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>Keeps cold storage in order: each node collects what is older than the retention of the databases that it leads; one of them removes deleted ones whose time of grace is over.</summary>
internal sealed class ColdKeeper : IAsyncDisposable
{
    private readonly NodeContext _node;
    private readonly ColdStore _cold;
    private readonly ColdStorageOptions _options;
    private readonly Dictionary<DatabaseId, Position> _clean = []; // where nothing was left to collect, and how far the store reached then
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _keeping;

    public ColdKeeper(NodeContext node, ColdStore cold, ColdStorageOptions options)
    {
        (_node, _cold, _options) = (node, cold, options);
        _keeping = KeepAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _keeping;
        _stopping.Dispose();
    }

    private async Task KeepAsync()
    {
        using var ticks = new PeriodicTimer(_options.CollectEvery, _node.Time);
        try
        {
            while (await ticks.WaitForNextTickAsync(_stopping.Token))
            {
                var collector = new ColdCollector(_cold.Store, _node.Time, _options.CollectionGrace);
                for (IReadOnlyList<DatabaseRecord> page = _node.Control.List("", "", 1000); page.Count > 0; page = _node.Control.List("", page[^1].Name, 1000))
                {
                    foreach (var database in page.Where(database => database.PrimaryNode == _node.Self.Id))
                    {
                        await CollectAsync(collector, database);
                    }
                }

                if (_node.Control.Nodes.Min(static node => node.Id) == _node.Self.Id)
                {
                    await RemoveDeletedAsync(collector);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private async Task CollectAsync(ColdCollector collector, DatabaseRecord database)
    {
        try
        {
            // A database in which nothing happens makes no requests, once it is clean.
            var end = _node.Follower.OpenedJournal?.LastOf(database.Id) ?? Position.Start;
            if (_clean.TryGetValue(database.Id, out var clean) && clean == end)
            {
                return;
            }

            var (deleted, waiting) = await collector.RunAsync(database.Id, database.Retention ?? _options.Retention, _stopping.Token);
            if (deleted > 0)
            {
                NodeLog.Collected(_node.Logger, database.Id, deleted);
            }

            if (waiting == 0 && await IsYoungerThanRetentionAsync(database) is false)
            {
                _clean[database.Id] = end;
            }
        }
        catch (ObjectStoreException e)
        {
            NodeLog.NotCollected(_node.Logger, database.Id, e.Message);
        }
    }

    // Whether time alone will make something of it old enough.
    private async Task<bool> IsYoungerThanRetentionAsync(DatabaseRecord database)
    {
        var at = (_node.Time.GetUtcNow() - (database.Retention ?? _options.Retention) - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        return await _cold.Restorer.FindEndAsync(database.Id, _stopping.Token) is { } end && await _cold.Restorer.FindAsync(database.Id, at, _stopping.Token) != end.Position;
    }

    private async Task RemoveDeletedAsync(ColdCollector collector)
    {
        try
        {
            var deleted = new List<ColdRecord>();
            await foreach (var record in ColdRecord.ReadAllAsync(_cold.Store, _stopping.Token))
            {
                // A catalogue that was brought back from a backup may know it again: then it is in use, whatever was noted of it.
                if (record.DeletedAtMicroseconds is { } at && _node.Control.Find(new DatabaseId(record.Id)) is null && _node.Time.GetUtcNow() - DateTimeOffset.UnixEpoch.AddTicks(at * TimeSpan.TicksPerMicrosecond) > _options.DeletionGrace)
                {
                    deleted.Add(record);
                }
            }

            foreach (var record in deleted)
            {
                if (await collector.RemoveAsync(new DatabaseId(record.Id), _stopping.Token))
                {
                    NodeLog.DeletedRemoved(_node.Logger, new DatabaseId(record.Id), record.Name);
                }
            }
        }
        catch (ObjectStoreException e)
        {
            NodeLog.DeletedNotRemoved(_node.Logger, e.Message);
        }
    }
}
