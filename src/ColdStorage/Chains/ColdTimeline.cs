using System.Collections.Immutable;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>What cold storage holds of one database's log, as it was listed: the end of the chain, and which objects belong to it.</summary>
/// <remarks>Who uploaded what is abandoned by now, or was never confirmed, is told apart by the epoch table at the chain's end (docs/formats.md, "Reading along the chain").</remarks>
internal sealed class ColdTimeline
{
    private readonly IObjectStore _store;

    private ColdTimeline(IObjectStore store, DatabaseId database, ColdOrigin? origin, Position end, EpochTable epochs, ImmutableArray<ColdLink> snapshots)
    {
        _store = store;
        Origin = origin;
        Database = database;
        End = end;
        Epochs = epochs;
        Snapshots = snapshots;
    }

    public DatabaseId Database { get; }

    /// <summary>Where a fork begins; <see langword="null"/> of other databases.</summary>
    public ColdOrigin? Origin { get; }

    /// <summary>The snapshots on the timeline, in order of their ends.</summary>
    public ImmutableArray<ColdLink> Snapshots { get; }

    /// <summary>Everything up to here is in cold storage.</summary>
    public Position End { get; }

    /// <summary>The epoch table there.</summary>
    public EpochTable Epochs { get; }

    /// <summary>Looks at what there is.</summary>
    /// <returns><see langword="null"/> if nothing of this database was ever stored.</returns>
    /// <exception cref="ObjectStoreException">An object that must be there is missing or damaged, or the store does not answer.</exception>
    public static async Task<ColdTimeline?> ReadAsync(IObjectStore store, DatabaseId database, CancellationToken cancellationToken)
    {
        var head = await HeadObject.ReadAsync(store, database, cancellationToken);
        var snapshots = await SnapshotsAsync(store, database, cancellationToken);
        var origin = await ColdOrigin.ReadAsync(store, database, cancellationToken);
        var newest = await LastSegmentAsync(store, database, snapshots, cancellationToken);
        if (newest is null && snapshots.Count == 0)
        {
            return head is not null ? throw Missing(database, head.Value, origin?.Position ?? Position.Start)
                : origin is not null ? new ColdTimeline(store, database, origin, origin.Position, origin.Epochs, [])
                : null;
        }

        Position end;
        EpochTable epochs;
        if (newest is { } segment && (snapshots.Count == 0 || segment.Last >= snapshots[^1].Last))
        {
            epochs = await (await SegmentReader.OpenAsync(store, database, segment.Object, cancellationToken)).ReadEpochsAsync(cancellationToken);
            end = segment.Last;
        }
        else
        {
            var manifest = await SnapshotManifest.ReadAsync(store, database, snapshots[^1].Object, cancellationToken);
            (end, epochs) = (manifest.To, manifest.Epochs);
        }

        if (head > end)
        {
            throw Missing(database, head.Value, end);
        }

        return new ColdTimeline(store, database, origin, end, epochs, [.. snapshots.Where(snapshot => IsOn(epochs, snapshot.Last))]);
    }

    /// <summary>The way to a position: a snapshot, a fork's parent, or the empty database, and segments that lead on from there.</summary>
    /// <param name="epoch">Of what is wanted.</param>
    /// <param name="sequence">The same; it may lie inside an entry.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <param name="mayUse">Which snapshots; unset: all. Several ways lead to the same state.</param>
    /// <exception cref="ObjectStoreException">The chain is broken on the way.</exception>
    public async Task<ColdPath> FindPathAsync(uint epoch, ulong sequence, CancellationToken cancellationToken, Func<ColdLink, bool>? mayUse = null)
    {
        var snapshot = Snapshots.LastOrDefault(link => Compare(link.Last, epoch, sequence) <= 0 && mayUse?.Invoke(link) != false);
        if (snapshot is null && Origin is { } origin)
        {
            return await FindFromParentAsync(origin, epoch, sequence, cancellationToken);
        }

        var start = snapshot?.First ?? Position.Start;
        return new ColdPath(start, snapshot, await FollowAsync(start, epoch, sequence, cancellationToken));
    }

    /// <summary>How a position lies to a sequence that may be inside an entry.</summary>
    public static int Compare(in Position position, uint epoch, ulong sequence) => (position.Epoch, position.Sequence).CompareTo((epoch, sequence));

    private async Task<ColdPath> FindFromParentAsync(ColdOrigin origin, uint epoch, ulong sequence, CancellationToken cancellationToken)
    {
        // As it was there: a parent that was brought back to an earlier state since has not taken it from its forks.
        var snapshots = await SnapshotsAsync(_store, origin.Parent, cancellationToken);
        var parent = new ColdTimeline(
            _store, origin.Parent, await ColdOrigin.ReadAsync(_store, origin.Parent, cancellationToken), origin.Position, origin.Epochs, [.. snapshots.Where(snapshot => IsOn(origin.Epochs, snapshot.Last))]);
        var isBefore = Compare(origin.Position, epoch, sequence) > 0;
        var way = isBefore
            ? await parent.FindPathAsync(epoch, sequence, cancellationToken)
            : await parent.FindPathAsync(origin.Position.Epoch, origin.Position.Sequence, cancellationToken);
        var segments = way.Segments.Select(link => link with { Until = link.Until is { } until && until < origin.Position ? until : origin.Position }).ToList();
        return way with { Segments = isBefore ? segments : [.. segments, .. await FollowAsync(origin.Position, epoch, sequence, cancellationToken)] };
    }

    private async Task<List<ColdLink>> FollowAsync(Position reached, uint epoch, ulong sequence, CancellationToken cancellationToken)
    {
        var segments = await SegmentsAsync(reached, cancellationToken);
        var path = new List<ColdLink>();
        while (Compare(reached, epoch, sequence) < 0)
        {
            var next = segments
                .Where(segment => segment.Last > reached && (segment.First == reached || segment.First < reached))
                .MaxBy(static segment => (segment.Last, segment.First));
            path.Add(next ?? throw Broken(reached, segments));
            reached = next.Last;
        }

        return path;
    }

    /// <summary>All segments on the timeline that hold something behind a position, in order of their ends.</summary>
    public async Task<List<ColdLink>> SegmentsAsync(Position behind, CancellationToken cancellationToken)
    {
        var segments = new List<ColdLink>();
        await foreach (var item in _store.ListAsync(ColdNames.Log(Database), ColdNames.LogAfter(Database, behind), cancellationToken))
        {
            if (ColdNames.TryParseSegment(item.Name, out var first, out var last) && IsOn(Epochs, last))
            {
                segments.Add(new ColdLink(Database, first, last, item));
            }
        }

        return segments;
    }

    /// <summary>Whether an entry may end here on the timeline of a table.</summary>
    public static bool IsOn(EpochTable epochs, Position end) =>
        end == Position.Start
        || (epochs.TryGet(end.Epoch, out var range) && range.Contains(end.Sequence) && (range.IsOpen || end.Sequence != range.LastSequence || end.Hash == range.HashAtEnd));

    /// <summary>All snapshots, in order of their ends.</summary>
    public static async Task<List<ColdLink>> SnapshotsAsync(IObjectStore store, DatabaseId database, CancellationToken cancellationToken)
    {
        var snapshots = new List<ColdLink>();
        await foreach (var item in store.ListAsync(ColdNames.Snapshots(database), cancellationToken: cancellationToken))
        {
            if (ColdNames.TryParseSnapshot(item.Name, out var from, out var to))
            {
                snapshots.Add(new ColdLink(database, from, to, item));
            }
        }

        return snapshots;
    }

    /// <summary>Whether nothing of a log was ever stored, beside a fork's origin.</summary>
    public static async Task<bool> IsEmptyAsync(IObjectStore store, DatabaseId database, CancellationToken cancellationToken)
    {
        foreach (var prefix in new[] { ColdNames.Log(database), ColdNames.Snapshots(database), ColdNames.Pins(database) })
        {
            await foreach (var _ in store.ListAsync(prefix, cancellationToken: cancellationToken))
            {
                return false;
            }
        }

        return true;
    }

    private static async Task<ColdLink?> LastSegmentAsync(
        IObjectStore store, DatabaseId database, List<ColdLink> snapshots, CancellationToken cancellationToken)
    {
        ColdLink? last = null;
        var after = snapshots.Count > 0 ? ColdNames.LogAfter(database, snapshots[^1].First) : "";
        await foreach (var item in store.ListAsync(ColdNames.Log(database), after, cancellationToken))
        {
            if (ColdNames.TryParseSegment(item.Name, out var first, out var end))
            {
                last = new ColdLink(database, first, end, item);
            }
        }

        return last;
    }

    private static ObjectMissingException Missing(DatabaseId database, Position head, Position end) =>
        new($"{ColdNames.Log(database)}{head}-*", $"the chain, which reached {head} and now ends at {end}");

    private ObjectMissingException Broken(Position reached, List<ColdLink> segments)
    {
        var next = segments.Where(segment => segment.First > reached).MinBy(static segment => segment.First);
        return new ObjectMissingException(
            $"{ColdNames.Log(Database)}*-{reached}.seg",
            $"the chain: no segment goes on behind {reached}; {(next is null ? "none comes later" : $"the next one is '{next.Object.Name}'")}");
    }
}

/// <summary>A stretch of the log in one object.</summary>
/// <param name="Database">Whose.</param>
/// <param name="First">A segment's first position, a snapshot's <i>from</i>.</param>
/// <param name="Last">A segment's last position, a snapshot's <i>to</i>.</param>
/// <param name="Object">Where it is.</param>
internal sealed record ColdLink(DatabaseId Database, Position First, Position Last, StoredObject Object)
{
    /// <summary>Of a fork's parent: what lies behind this is not the fork's.</summary>
    public Position? Until { get; init; }
}

/// <summary>What is read for a state, in order.</summary>
/// <param name="Start">Where the log is gone on from.</param>
/// <param name="Snapshot">What holds everything up to there; <see langword="null"/>: an empty database.</param>
/// <param name="Segments">What leads on.</param>
internal sealed record ColdPath(Position Start, ColdLink? Snapshot, IReadOnlyList<ColdLink> Segments);
