using System.Text.Json;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Removes what nobody can need any more of one database: states older than its retention, chunks that no snapshot names, and all of it a while after its deletion.</summary>
/// <remarks>
/// In two steps. What is of no use is written down with the moment (docs/formats.md, "Garbage"), and states before it are not restored any more; only what has been of no use for the time of
/// grace, and still is, is deleted. So a restore that found its way before has that long to end, and a chunk that a snapshot takes up again is kept. It works from what is in the store alone:
/// two that run at once, or one of a node that leads no longer, do no harm. What forks need is kept by their pins.
/// </remarks>
public sealed class ColdCollector(IObjectStore store, TimeProvider time, TimeSpan grace)
{
    /// <summary>Collects what is older than a database's retention.</summary>
    /// <returns>How many objects were deleted, and how many wait for the time of grace.</returns>
    /// <exception cref="ObjectStoreException">An object that must be there is missing or damaged, or the store does not answer. Nothing that is needed was deleted.</exception>
    public async Task<(int Deleted, int Waiting)> RunAsync(DatabaseId database, TimeSpan retention, CancellationToken cancellationToken = default)
    {
        if (await ColdTimeline.ReadAsync(store, database, cancellationToken) is not { } timeline)
        {
            return (0, 0);
        }

        var floor = await FindFloorAsync(timeline, retention, cancellationToken);
        var useless = await FindUselessAsync(timeline, floor, cancellationToken);
        return await DeleteAsync(database, useless, floor?.Last, cancellationToken);
    }

    /// <summary>Removes everything of a database that was deleted, unless forks of it need it.</summary>
    /// <returns>Whether it is gone.</returns>
    /// <exception cref="ObjectStoreException">The store does not answer.</exception>
    public async Task<bool> RemoveAsync(DatabaseId database, CancellationToken cancellationToken = default)
    {
        if ((await PinsAsync(database, cancellationToken)).Count > 0)
        {
            return false;
        }

        var names = new List<string>();
        await foreach (var item in store.ListAsync(ColdNames.Root(database), cancellationToken: cancellationToken))
        {
            names.Add(item.Name);
        }

        // A fork's origin last but the record: as long as it is there its parent keeps what it needs.
        foreach (var name in names.OrderBy(name => name == ColdNames.Origin(database)))
        {
            await store.DeleteAsync(name, cancellationToken);
        }

        await store.DeleteAsync(ColdRecord.NameOf(database), cancellationToken);
        return true;
    }

    // The newest snapshot of a state that is older than what is to be kept: what comes before it is of no use to anybody.
    private async Task<ColdLink?> FindFloorAsync(ColdTimeline timeline, TimeSpan retention, CancellationToken cancellationToken)
    {
        var oldest = (time.GetUtcNow() - retention - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        foreach (var snapshot in timeline.Snapshots.Reverse())
        {
            if ((await SnapshotManifest.ReadAsync(store, timeline.Database, snapshot.Object, cancellationToken)).CommitTime <= oldest)
            {
                return snapshot;
            }
        }

        return null;
    }

    private async Task<HashSet<string>> FindUselessAsync(ColdTimeline timeline, ColdLink? floor, CancellationToken cancellationToken)
    {
        var database = timeline.Database;
        var useless = new HashSet<string>(StringComparer.Ordinal);
        var snapshots = await ColdTimeline.SnapshotsAsync(store, database, cancellationToken);
        if (floor is not null)
        {
            useless.UnionWith(snapshots.Where(snapshot => snapshot.Last < floor.Last).Select(static snapshot => snapshot.Object.Name));
            await foreach (var item in store.ListAsync(ColdNames.Log(database), cancellationToken: cancellationToken))
            {
                if (ColdNames.TryParseSegment(item.Name, out _, out var last) && last <= floor.First)
                {
                    useless.Add(item.Name);
                }
            }

            if (timeline.Origin is not null)
            {
                useless.Add(ColdNames.Origin(database)); // the fork stands on its own; its parent's pin goes then
            }
        }

        // Without its pins nothing is known to be useless: so they are read behind the names.
        foreach (var pin in await PinsAsync(database, cancellationToken))
        {
            await KeepAsync(pin, timeline, snapshots, useless, cancellationToken);
        }

        var used = new HashSet<string>(StringComparer.Ordinal);
        var names = new List<string>();
        await foreach (var item in store.ListAsync(ColdNames.Pages(database), cancellationToken: cancellationToken))
        {
            names.Add(item.Name);
        }

        // The snapshots once more: one that was published since names chunks that were listed.
        foreach (var snapshot in (await ColdTimeline.SnapshotsAsync(store, database, cancellationToken)).Where(snapshot => !useless.Contains(snapshot.Object.Name)))
        {
            var manifest = await SnapshotManifest.ReadAsync(store, database, snapshot.Object, cancellationToken);
            used.UnionWith(manifest.Chunks.Select(chunk => ColdNames.Chunk(database, chunk.Sha256.AsSpan())));
        }

        useless.UnionWith(names.Where(name => !used.Contains(name)));
        return useless;
    }

    // What leads to a fork's beginning, as the fork sees it: from the snapshot before it on.
    private async Task KeepAsync(ColdPin pin, ColdTimeline timeline, List<ColdLink> snapshots, HashSet<string> useless, CancellationToken cancellationToken)
    {
        var epochs = (await ColdOrigin.ReadAsync(store, pin.Fork, cancellationToken))?.Epochs ?? timeline.Epochs;
        var first = snapshots.LastOrDefault(snapshot => snapshot.Last <= pin.Position && ColdTimeline.IsOn(epochs, snapshot.Last));
        if (first is not null)
        {
            useless.Remove(first.Object.Name);
        }
        else
        {
            useless.Remove(ColdNames.Origin(timeline.Database));
        }

        var from = first?.First ?? Position.Start;
        useless.RemoveWhere(name => ColdNames.TryParseSegment(name, out var begin, out var end) && end > from && begin < pin.Position);
    }

    // Those of forks that came to nothing, or are gone, are removed on the way.
    private async Task<List<ColdPin>> PinsAsync(DatabaseId database, CancellationToken cancellationToken)
    {
        var pins = new List<ColdPin>();
        await foreach (var item in store.ListAsync(ColdNames.Pins(database), cancellationToken: cancellationToken))
        {
            if (!ColdPin.TryParse(item.Name, out var pin))
            {
                throw new ObjectDamagedException(item.Name, "its name is no pin's");
            }

            if (time.GetUtcNow() - item.ModifiedAt > grace && await store.FindAsync(ColdNames.Origin(pin.Fork), cancellationToken) is null)
            {
                await store.DeleteAsync(item.Name, cancellationToken);
            }
            else
            {
                pins.Add(pin);
            }
        }

        return pins;
    }

    private async Task<(int Deleted, int Waiting)> DeleteAsync(DatabaseId database, HashSet<string> useless, Position? floor, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var known = await ReadGarbageAsync(database, cancellationToken);
        var garbage = useless.ToDictionary(static name => name, name => known.GetValueOrDefault(name, now.ToUnixTimeMilliseconds()));
        var ripe = garbage.Where(item => now - DateTimeOffset.FromUnixTimeMilliseconds(item.Value) >= grace).Select(static item => item.Key).ToList();
        if (floor is { } position && await HeadObject.ReadFloorAsync(store, database, cancellationToken) is var before && !(before >= position))
        {
            await store.ReplaceAsync(ColdNames.Floor(database), HeadObject.Write(database, position, isFloor: true), cancellationToken); // first: from here on nobody begins to need it
        }

        if (garbage.Count > 0 || known.Count > 0)
        {
            if (!garbage.Keys.ToHashSet().SetEquals(known.Keys))
            {
                await store.ReplaceAsync(ColdNames.Garbage(database), JsonSerializer.SerializeToUtf8Bytes(garbage), cancellationToken);
            }

            foreach (var name in ripe.OrderByDescending(static name => ColdNames.TryParseSnapshot(name, out _, out _))) // a snapshot before what it names
            {
                await store.DeleteAsync(name, cancellationToken);
                garbage.Remove(name);
            }

            if (ripe.Count > 0)
            {
                await store.ReplaceAsync(ColdNames.Garbage(database), JsonSerializer.SerializeToUtf8Bytes(garbage), cancellationToken);
            }
        }

        return (ripe.Count, garbage.Count);
    }

    private async Task<Dictionary<string, long>> ReadGarbageAsync(DatabaseId database, CancellationToken cancellationToken)
    {
        var name = ColdNames.Garbage(database);
        if (await store.FindAsync(name, cancellationToken) is not { } found)
        {
            return [];
        }

        var bytes = new byte[found.SizeBytes];
        await store.ReadAsync(name, 0, bytes, cancellationToken);
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, long>>(bytes) ?? [];
        }
        catch (JsonException)
        {
            return []; // it only says since when; that begins anew
        }
    }
}
