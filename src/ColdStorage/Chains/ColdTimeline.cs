using System.Collections.Immutable;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>What cold storage holds of one database's log, as it was listed: the end of the chain, and which objects belong to it.</summary>
/// <remarks>Who uploaded what is abandoned by now, or was never confirmed, is told apart by the epoch table at the chain's end (docs/formats.md, "Reading along the chain").</remarks>
internal sealed class ColdTimeline
{
    private readonly IObjectStore _store;
    private readonly ImmutableArray<ColdLink> _snapshots; // on the timeline, in order of their ends

    private ColdTimeline(IObjectStore store, DatabaseId database, Position end, EpochTable epochs, ImmutableArray<ColdLink> snapshots)
    {
        _store = store;
        Database = database;
        End = end;
        Epochs = epochs;
        _snapshots = snapshots;
    }

    public DatabaseId Database { get; }

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
        var snapshots = new List<ColdLink>();
        await foreach (var item in store.ListAsync(ColdNames.Snapshots(database), cancellationToken: cancellationToken))
        {
            if (ColdNames.TryParseSnapshot(item.Name, out var from, out var to))
            {
                snapshots.Add(new ColdLink(from, to, item));
            }
        }

        var newest = await LastSegmentAsync(store, database, snapshots, cancellationToken);
        if (newest is null && snapshots.Count == 0)
        {
            return head is null ? null : throw Missing(database, head.Value, Position.Start);
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

        return new ColdTimeline(store, database, end, epochs, [.. snapshots.Where(snapshot => IsOn(epochs, snapshot.Last))]);
    }

    /// <summary>The way to a position: a snapshot, or the empty database, and segments that lead on from there.</summary>
    /// <param name="epoch">Of what is wanted.</param>
    /// <param name="sequence">The same; it may lie inside an entry.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <exception cref="ObjectStoreException">The chain is broken on the way.</exception>
    public async Task<ColdPath> FindPathAsync(uint epoch, ulong sequence, CancellationToken cancellationToken)
    {
        var snapshot = _snapshots.LastOrDefault(link => (link.Last.Epoch, link.Last.Sequence).CompareTo((epoch, sequence)) <= 0);
        var start = snapshot?.First ?? Position.Start;
        var segments = await SegmentsAsync(start, cancellationToken);
        var path = new List<ColdLink>();
        var reached = start;
        while ((reached.Epoch, reached.Sequence).CompareTo((epoch, sequence)) < 0)
        {
            var next = segments
                .Where(segment => segment.Last > reached && (segment.First == reached || segment.First < reached))
                .MaxBy(static segment => (segment.Last, segment.First));
            path.Add(next ?? throw Broken(reached, segments));
            reached = next.Last;
        }

        return new ColdPath(start, snapshot, path);
    }

    /// <summary>All segments on the timeline that hold something behind a position, in order of their ends.</summary>
    public async Task<List<ColdLink>> SegmentsAsync(Position behind, CancellationToken cancellationToken)
    {
        var segments = new List<ColdLink>();
        await foreach (var item in _store.ListAsync(ColdNames.Log(Database), ColdNames.LogAfter(Database, behind), cancellationToken))
        {
            if (ColdNames.TryParseSegment(item.Name, out var first, out var last) && IsOn(Epochs, last))
            {
                segments.Add(new ColdLink(first, last, item));
            }
        }

        return segments;
    }

    /// <summary>Whether an entry may end here on the timeline of a table.</summary>
    public static bool IsOn(EpochTable epochs, Position end) =>
        end == Position.Start
        || (epochs.TryGet(end.Epoch, out var range) && range.Contains(end.Sequence) && (range.IsOpen || end.Sequence != range.LastSequence || end.Hash == range.HashAtEnd));

    private static async Task<ColdLink?> LastSegmentAsync(
        IObjectStore store, DatabaseId database, List<ColdLink> snapshots, CancellationToken cancellationToken)
    {
        ColdLink? last = null;
        var after = snapshots.Count > 0 ? ColdNames.LogAfter(database, snapshots[^1].First) : "";
        await foreach (var item in store.ListAsync(ColdNames.Log(database), after, cancellationToken))
        {
            if (ColdNames.TryParseSegment(item.Name, out var first, out var end))
            {
                last = new ColdLink(first, end, item);
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
/// <param name="First">A segment's first position, a snapshot's <i>from</i>.</param>
/// <param name="Last">A segment's last position, a snapshot's <i>to</i>.</param>
/// <param name="Object">Where it is.</param>
internal sealed record ColdLink(Position First, Position Last, StoredObject Object);

/// <summary>What is read for a state, in order.</summary>
/// <param name="Start">Where the log is gone on from.</param>
/// <param name="Snapshot">What holds everything up to there; <see langword="null"/>: an empty database.</param>
/// <param name="Segments">What leads on.</param>
internal sealed record ColdPath(Position Start, ColdLink? Snapshot, IReadOnlyList<ColdLink> Segments);
