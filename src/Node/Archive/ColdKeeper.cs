using System.Collections.Concurrent;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>Keeps cold storage in order: each node collects what is older than the retention of the databases that it leads; one of them removes deleted ones whose time of grace is over.</summary>
internal sealed class ColdKeeper : IAsyncDisposable
{
    private readonly NodeContext _node;
    private readonly ColdStore _cold;
    private readonly ColdStorageOptions _options;
    private readonly ColdCollector _collector;
    private readonly Dictionary<DatabaseId, (Looked At, DateTimeOffset? Next)> _looked = []; // what was looked through, and when there is something to do again if nothing is written
    private readonly ConcurrentDictionary<DatabaseId, bool> _forked = new(); // since they were looked through
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _keeping;

    public ColdKeeper(NodeContext node, ColdStore cold, ColdStorageOptions options)
    {
        (_node, _cold, _options) = (node, cold, options);
        _collector = new ColdCollector(cold.Store, node.Time, new ColdCollectorOptions(options.CollectionGrace) { ForkGrace = options.DeletionGrace, IsUnknownAsync = IsUnknownAsync });
        _keeping = KeepAsync();
    }

    /// <summary>A fork of a database was begun here: it is looked through again. Safe for use by any thread.</summary>
    public void NoteFork(DatabaseId parent) => _forked[parent] = true;

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
                for (IReadOnlyList<DatabaseRecord> page = _node.Control.List("", "", 1000); page.Count > 0; page = _node.Control.List("", page[^1].Name, 1000))
                {
                    foreach (var database in page.Where(database => database.PrimaryNode == _node.Self.Id))
                    {
                        await CollectAsync(database);
                    }
                }

                if (_node.Control.Nodes.Min(static node => node.Id) == _node.Self.Id)
                {
                    await RemoveDeletedAsync();
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    private async Task CollectAsync(DatabaseRecord database)
    {
        try
        {
            // A database in which nothing happens makes no requests, until something of it is old enough.
            var state = new Looked(_node.Follower.OpenedJournal?.LastOf(database.Id) ?? Position.Start, database.Retention ?? _options.Retention);
            if (!_forked.TryRemove(database.Id, out _) && _looked.TryGetValue(database.Id, out var looked) && looked.At == state && !(looked.Next <= _node.Time.GetUtcNow()))
            {
                return;
            }

            var collected = await _collector.RunAsync(database.Id, state.Retention, _stopping.Token);
            _looked[database.Id] = (state, collected.Next);
            if (collected.Deleted > 0)
            {
                NodeLog.Collected(_node.Logger, database.Id, collected.Deleted);
            }
        }
        catch (Exception e) when (e is ObjectStoreException or JournalException or ObjectDisposedException)
        {
            NodeLog.NotCollected(_node.Logger, database.Id, e.Message);
        }
    }

    private async Task RemoveDeletedAsync()
    {
        try
        {
            var ids = new List<DatabaseId>();
            await foreach (var id in ColdRecord.ListAsync(_cold.Store, _stopping.Token))
            {
                // A catalogue that was brought back from a backup may know it again: then it is in use, whatever was noted of it.
                if (_node.Control.Find(id) is null)
                {
                    ids.Add(id);
                }
            }

            foreach (var id in ids)
            {
                await RemoveAsync(id);
            }
        }
        catch (ObjectStoreException e)
        {
            NodeLog.DeletedNotRemoved(_node.Logger, e.Message);
        }
    }

    private async Task RemoveAsync(DatabaseId id)
    {
        try
        {
            if (await ColdRecord.ReadAsync(_cold.Store, id, _stopping.Token) is not { } record)
            {
                return;
            }

            var now = _node.Time.GetUtcNow();
            if (record.DeletedAtMicroseconds is not { } at)
            {
                // Lost, and `rsql recover` brings it back; or deleted, by somebody who did not live to note it. Its time of grace begins now.
                if (_node.Control.IsDeleted(id))
                {
                    await _cold.KeepRecordAsync(record with { DeletedAtMicroseconds = (now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond }, cancellationToken: _stopping.Token);
                }
            }
            else if (now - DateTimeOffset.UnixEpoch.AddTicks(at * TimeSpan.TicksPerMicrosecond) > _options.DeletionGrace
                && await IsUnknownAsync(id, _stopping.Token) && await _collector.RemoveAsync(id, _stopping.Token))
            {
                NodeLog.DeletedRemoved(_node.Logger, id, record.Name);
            }
        }
        catch (ObjectStoreException e)
        {
            NodeLog.DeletedNotRemoved(_node.Logger, e.Message); // the others' turn comes all the same
        }
    }

    // What a catalogue that is away does not say is not taken for a no.
    private async ValueTask<bool> IsUnknownAsync(DatabaseId database, CancellationToken cancellationToken)
    {
        try
        {
            return _node.Control.Trouble is null && await _node.Control.FindNewestAsync(database.ToString(), cancellationToken) is null && _node.Control.Find(database) is null;
        }
        catch (Exception e) when (e is RequestException or IOException or ControlPlaneAwayException or ObjectDisposedException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    private readonly record struct Looked(Position End, TimeSpan Retention);
}
