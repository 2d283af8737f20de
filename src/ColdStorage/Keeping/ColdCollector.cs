using System.Text.Json;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Removes what nobody can need any more of one database: states older than its retention, chunks that no snapshot names, and all of it a while after its deletion.</summary>
/// <remarks>
/// In two steps. What is of no use is written down with the moment (docs/formats.md, "Garbage"), and states before it are not restored any more; only what has been of no use for the time of
/// grace, and still is, is deleted. So a restore that found its way before has that long to end, and a chunk that a snapshot takes up again is kept. It works from what is in the store alone:
/// two that run at once, or one of a node that leads no longer, do no harm. What forks need is kept by their pins.
/// </remarks>
public sealed class ColdCollector(IObjectStore store, TimeProvider time, ColdCollectorOptions options)
{
    private readonly TimeSpan _grace = options.Grace;

    /// <summary>Collects what is older than a database's retention.</summary>
    /// <exception cref="ObjectStoreException">An object that must be there is missing or damaged, or the store does not answer. Nothing that is needed was deleted.</exception>
    public async Task<CollectedObjects> RunAsync(DatabaseId database, TimeSpan retention, CancellationToken cancellationToken = default)
    {
        if (await ColdTimeline.ReadAsync(store, database, cancellationToken) is not { } timeline)
        {
            return new CollectedObjects(0, 0, null);
        }

        if (await store.FindAsync(ColdNames.Removal(database), cancellationToken) is not null)
        {
            await store.DeleteAsync(ColdNames.Removal(database), cancellationToken); // the catalogue knows it again
        }

        var (floor, next) = await FindFloorAsync(timeline, retention, cancellationToken);
        var pins = new List<ColdPin>();
        var useless = await FindUselessAsync(timeline, floor, pins, cancellationToken);
        var (deleted, waiting) = await DeleteAsync(database, useless, floor?.Last, cancellationToken);
        return new CollectedObjects(deleted, waiting, waiting > 0 || pins.Count > 0 ? time.GetUtcNow() : next);
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

        // Whoever makes a fork puts his pin, and looks for this then; here it is the other way round. So one of the two sees the other.
        var isOurs = await store.PutAsync(ColdNames.Removal(database), ["RSCLDREM"u8.ToArray()], cancellationToken);
        if ((await PinsAsync(database, cancellationToken)).Count > 0)
        {
            if (isOurs) // another node may have put its own, seen no pin, and be at work
            {
                await store.DeleteAsync(ColdNames.Removal(database), cancellationToken);
            }

            return false;
        }

        var names = new List<string>();
        await foreach (var item in store.ListAsync(ColdNames.Root(database), cancellationToken: cancellationToken))
        {
            names.Add(item.Name);
        }

        // A fork's origin near the end: as long as it is there its parent keeps what it needs. Then nothing is left to be forked.
        foreach (var name in names.OrderBy(name => name == ColdNames.Removal(database) ? 2 : name == ColdNames.Origin(database) ? 1 : 0))
        {
            await store.DeleteAsync(name, cancellationToken);
        }

        await store.DeleteAsync(ColdRecord.NameOf(database), cancellationToken);
        return true;
    }

    // The newest snapshot of a state that is older than what is to be kept: what comes before it is of no use to anybody. And when the one behind it will be that.
    private async Task<(ColdLink? Floor, DateTimeOffset? Next)> FindFloorAsync(ColdTimeline timeline, TimeSpan retention, CancellationToken cancellationToken)
    {
        DateTimeOffset? next = null;
        foreach (var snapshot in timeline.Snapshots.Reverse())
        {
            var manifest = await SnapshotManifest.ReadAsync(store, timeline.Database, snapshot.Object, cancellationToken);
            var oldAt = DateTimeOffset.UnixEpoch.AddTicks(manifest.CommitTime * TimeSpan.TicksPerMicrosecond) + retention;
            if (oldAt <= time.GetUtcNow())
            {
                return (snapshot, next);
            }

            next = oldAt;
        }

        return (null, next);
    }

    private async Task<HashSet<string>> FindUselessAsync(ColdTimeline timeline, ColdLink? floor, List<ColdPin> pins, CancellationToken cancellationToken)
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
        pins.AddRange(await PinsAsync(database, cancellationToken));
        foreach (var pin in pins)
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

            if (!await IsOverAsync(pin, time.GetUtcNow() - item.ModifiedAt, cancellationToken))
            {
                pins.Add(pin);
                continue;
            }

            // As the fork takes itself back.
            await store.DeleteAsync(ColdNames.Origin(pin.Fork), cancellationToken);
            await store.DeleteAsync(item.Name, cancellationToken);
        }

        return pins;
    }

    // Without an origin the fork was never made, or is gone. With one it may have been made, and nobody was told: the catalogue says, once whoever made it has given up long since.
    private async Task<bool> IsOverAsync(ColdPin pin, TimeSpan age, CancellationToken cancellationToken)
    {
        if (age <= _grace)
        {
            return false;
        }

        if (await store.FindAsync(ColdNames.Origin(pin.Fork), cancellationToken) is not { } origin)
        {
            return true;
        }

        return age > options.ForkGrace && time.GetUtcNow() - origin.ModifiedAt > options.ForkGrace && options.IsUnknownAsync is { } isUnknown
            && await ColdRecord.ReadAsync(store, pin.Fork, cancellationToken) is null
            && await ColdTimeline.IsEmptyAsync(store, pin.Fork, cancellationToken)
            && await isUnknown(pin.Fork, cancellationToken);
    }

    private async Task<(int Deleted, int Waiting)> DeleteAsync(DatabaseId database, HashSet<string> useless, Position? floor, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var known = await ReadGarbageAsync(database, cancellationToken);
        var garbage = useless.ToDictionary(static name => name, name => known.GetValueOrDefault(name, now.ToUnixTimeMilliseconds()));
        var ripe = garbage.Where(item => now - DateTimeOffset.FromUnixTimeMilliseconds(item.Value) >= _grace).Select(static item => item.Key).ToList();
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

/// <summary>How careful a collection is.</summary>
/// <param name="Grace">What is of no use any more is deleted after this.</param>
public sealed record ColdCollectorOptions(TimeSpan Grace)
{
    /// <summary>A fork that nobody knows of is given up after this. Default 7 days.</summary>
    public TimeSpan ForkGrace { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Whether the catalogue, asked now, knows nothing of a database, or that it was deleted; <see langword="false"/> where it cannot be asked. Unset: forks are never given up.</summary>
    public Func<DatabaseId, CancellationToken, ValueTask<bool>>? IsUnknownAsync { get; init; }
}

/// <summary>What a collection did.</summary>
/// <param name="Deleted">So many objects.</param>
/// <param name="Waiting">So many wait for the time of grace.</param>
/// <param name="Next">While nothing is written to the database, nothing more can be done before; <see langword="null"/>: ever.</param>
public sealed record CollectedObjects(int Deleted, int Waiting, DateTimeOffset? Next);
