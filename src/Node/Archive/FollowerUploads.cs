using System.Collections.Concurrent;
using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>Brings what this node follows to cold storage where the primary does not: the last entries of one that died with its disk, say.</summary>
/// <remarks>
/// Where a log has new confirmed entries the store is looked at a minute later, and what is missing there is uploaded; a log in which nothing is new costs nothing. After a start each
/// log that is not empty is looked at once. Safe for use by any thread.
/// </remarks>
internal sealed class FollowerUploads : IAsyncDisposable
{
    private const int MaxAtOnce = 256; // almost all of them only wait

    private readonly ConcurrentDictionary<DatabaseId, Position> _done = new(); // confirmed, and in cold storage
    private readonly ConcurrentDictionary<DatabaseId, Task> _running = new();
    private readonly NodeContext _node;
    private readonly ColdStore _cold;
    private readonly TimeSpan _every;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _watching;

    /// <param name="node">This node.</param>
    /// <param name="cold">The store.</param>
    /// <param name="every">How often the logs are looked at.</param>
    public FollowerUploads(NodeContext node, ColdStore cold, TimeSpan every)
    {
        (_node, _cold, _every) = (node, cold, every);
        _watching = WatchAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _watching;
        await Task.WhenAll(_running.Values);
        _stopping.Dispose();
    }

    private async Task WatchAsync()
    {
        using var ticks = new PeriodicTimer(_every, _node.Time);
        try
        {
            while (await ticks.WaitForNextTickAsync(_stopping.Token))
            {
                try
                {
                    if (_node.Follower.OpenedJournal is { } journal)
                    {
                        Look(journal);
                    }
                }
                catch (Exception e) when (e is JournalException or ObjectDisposedException)
                {
                    // The journal is opened again; the next tick looks at that.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private void Look(NodeJournal journal)
    {
        foreach (var database in journal.Databases)
        {
            if (_running.Count >= MaxAtOnce)
            {
                return; // the others' turn comes with the next ticks
            }

            // Where nothing has come since, nothing is asked: there may be very many.
            var isKnown = _done.TryGetValue(database, out var done);
            if ((isKnown && done >= journal.LastOf(database)) || !IsFollowed(database) || Source(database) is not { } source || (isKnown && done >= source.Confirmed))
            {
                continue;
            }

            var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_running.TryAdd(database, ended.Task))
            {
                _ = UploadAsync(source, ended);
            }
        }
    }

    private async Task UploadAsync(JournalUploadSource source, TaskCompletionSource ended)
    {
        try
        {
            var confirmed = source.Confirmed;
            await using var uploader = _cold.Open(source, isLeader: false);
            uploader.Confirm(confirmed);
            using var ticks = new PeriodicTimer(_every, _node.Time);
            do
            {
                // Done; or led here by now, and so the primary's; or trimmed here, and so stored by whoever let it be trimmed.
                if (uploader.StoredTo >= confirmed || !IsFollowed(source.Database) || source.First >= confirmed)
                {
                    _done[source.Database] = confirmed;
                    return;
                }
            }
            while (await ticks.WaitForNextTickAsync(_stopping.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or JournalException or ObjectDisposedException)
        {
            // The node stops, or its journal is opened again: then all is looked at anew.
        }
        finally
        {
            _running.TryRemove(source.Database, out _);
            ended.SetResult();
        }
    }

    private JournalUploadSource? Source(DatabaseId database)
    {
        try
        {
            var source = new JournalUploadSource(_node.Follower, database);
            return source.Confirmed > source.First ? source : null;
        }
        catch (Exception e) when (e is JournalException or EntryFormatException)
        {
            return null;
        }
    }

    private bool IsFollowed(DatabaseId database) =>
        _node.Control.Find(database) is { } record && record.PrimaryNode != _node.Self.Id && record.Followers.Any(place => place.Journal == _node.Follower.JournalId);
}
