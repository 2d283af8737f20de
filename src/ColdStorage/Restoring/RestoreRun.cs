using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>The part of a restore that goes along the log.</summary>
internal sealed class RestoreRun(IObjectStore store, DatabaseId database, string path, int pageSizeBytes, RestoreProgress progress, ColdRestoreOptions options)
{
    private RestoreProgress _progress = progress;

    /// <summary>Brings the file, which holds everything up to the progress, to the wanted state.</summary>
    public async Task<RestoredState> ReplayAsync(
        ColdPath way, SegmentReader?[] opened, SnapshotManifest? manifest, EpochTable epochs, Bookmark wanted, CancellationToken cancellationToken)
    {
        var reached = Position.Parse(_progress.From!);
        var to = Position.Parse(_progress.To!);
        using var file = new PageFile(path, pageSizeBytes, to, options);
        (uint SizePages, long CommitTime) state = (manifest?.SizePages ?? 1, manifest?.CommitTime ?? 0);
        long unsynced = 0;
        for (var i = 0; i < way.Segments.Count; i++)
        {
            var reader = opened[i] ?? await SegmentReader.OpenAsync(store, way.Segments[i].Database, way.Segments[i].Object, cancellationToken);
            var footer = reader.Footer;
            var until = Until(way.Segments[i], wanted);
            if (footer.PageSizeBytes != pageSizeBytes)
            {
                throw new ObjectDamagedException(way.Segments[i].Object.Name, $"it has pages of {footer.PageSizeBytes} bytes; {pageSizeBytes} were wanted");
            }

            if (reached >= footer.Last || ColdTimeline.Compare(reached, until.Epoch, until.Sequence) >= 0)
            {
                if (footer.Last <= reached)
                {
                    state = (footer.SizePages, footer.LastCommitTime); // done before it was broken off
                    continue;
                }

                // The same, of a parent's last segment, which goes on behind the fork.
                var last = (await reader.ReadEntriesAsync(cancellationToken)).FindLast(entry => entry.End <= reached)!;
                state = (last.Header.DatabaseSizePages, last.Header.CommitTimeMicroseconds);
                continue;
            }

            if (to < footer.Last)
            {
                to = footer.Last;
                _progress = _progress with { To = to.ToString() };
                _progress.Write(path, options); // before a page of it is written: a crash in here leaves a mixture
            }

            var isWhole = footer.First == reached && ColdTimeline.Compare(footer.Last, until.Epoch, until.Sequence) <= 0;
            try
            {
                if (isWhole && await reader.ReadPagesAsync(cancellationToken) is { } pages)
                {
                    file.Apply(footer, pages);
                    (reached, state) = (footer.Last, (footer.SizePages, footer.LastCommitTime));
                }
                else
                {
                    foreach (var entry in SkipTo(await reader.ReadEntriesAsync(cancellationToken), reached, way.Segments[i]))
                    {
                        if (ColdTimeline.Compare(reached, until.Epoch, until.Sequence) >= 0)
                        {
                            break;
                        }

                        file.Apply(entry);
                        (reached, state) = (entry.End, (entry.Header.DatabaseSizePages, entry.Header.CommitTimeMicroseconds));
                    }
                }
            }
            catch (PageMismatchException e)
            {
                throw new ObjectDamagedException(way.Segments[i].Object.Name, $"it does not fit what comes before it: {e.Message}");
            }

            unsynced += footer.ObjectBytes;
            if (options.IsNoted && unsynced >= options.LogBytesPerSync)
            {
                file.Sync();
                _progress = _progress with { From = reached.ToString() };
                _progress.Write(path, options);
                unsynced = 0;
            }
        }

        CheckEnd(reached, wanted);
        file.SetSize(state.SizePages);
        file.Sync();
        return new RestoredState(reached, EpochsAt(epochs, reached), state.CommitTime, pageSizeBytes, state.SizePages);
    }

    private static (uint Epoch, ulong Sequence) Until(ColdLink link, Bookmark wanted) =>
        link.Until is { } until && ColdTimeline.Compare(until, wanted.Epoch, wanted.Sequence) < 0 ? (until.Epoch, until.Sequence) : (wanted.Epoch, wanted.Sequence);

    // A segment that was cut elsewhere is used from the entry that ends exactly where the file is.
    private static IEnumerable<Entry> SkipTo(List<Entry> entries, Position reached, ColdLink link)
    {
        if (link.First == reached)
        {
            return entries;
        }

        var index = entries.FindIndex(entry => entry.End == reached);
        return index >= 0
            ? entries.Skip(index + 1)
            : throw new ObjectDamagedException(link.Object.Name, $"no entry in it ends at {reached}: it belongs to another log");
    }

    private void CheckEnd(Position reached, Bookmark wanted)
    {
        if (wanted == Bookmark.Start ? reached != Position.Start : reached.Epoch != wanted.Epoch || reached.Sequence < wanted.Sequence)
        {
            throw new BookmarkNotStoredException(wanted, database, $"the log leads to {reached}");
        }

        if (wanted != Bookmark.Start && reached.ToBookmark(database).EntryTag != wanted.EntryTag)
        {
            throw new BookmarkNotStoredException(wanted, database, $"the entry there is another one, which ends at {reached.ToBookmark(database)}");
        }
    }

    /// <summary>The table as it was at a position on it.</summary>
    internal static EpochTable EpochsAt(EpochTable epochs, Position position)
    {
        var count = epochs.Ranges.Count(range => range.Epoch <= position.Epoch && range.FirstSequence <= position.Sequence);
        return count == 0 ? EpochTable.Empty
            : EpochTable.Create([.. epochs.Ranges.Take(count - 1), epochs.Ranges[count - 1] with { LastSequence = EpochRange.OpenEnd, HashAtEnd = ChainHash.Zero }]);
    }
}
