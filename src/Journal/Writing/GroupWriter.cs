namespace ReplicatedSqlite.Journal;

/// <summary>Writes groups: one write and one sync for each. One caller at a time.</summary>
internal sealed class GroupWriter(JournalFiles files, ulong lastGroupNumber, JournalPlace syncedEnd)
{
    private const int ReserveShare = 64;
    private readonly GroupBuilder _group = new();
    private ulong _lastGroupNumber = lastGroupNumber; // written by the writer only; read by any thread
    private JournalPlace _syncedEnd = syncedEnd;

    /// <summary>The number of the newest group that is on disk.</summary>
    public ulong LastGroupNumber => Volatile.Read(ref _lastGroupNumber);

    /// <summary>The newest group holds records, so that a closing group would say something new.</summary>
    public bool HasUnsealed { get; private set; } = true;

    /// <summary>Makes the items durable. On return each knows its place.</summary>
    /// <exception cref="DiskFullException">There was no room for another file. Nothing was written; the writer can go on.</exception>
    /// <exception cref="IOException">Anything else: what is on the disk is not known, and the writer must not be used again.</exception>
    public JournalFile Write(List<JournalItem> items)
    {
        var file = FileFor(items, out var isNew);
        _group.Clear();
        if (isNew)
        {
            _group.Add(RecordKind.Files, FileListRecord.Encode([.. files.All.Where(earlier => earlier != file).Select(earlier => earlier.Listed)]), previous: 0);
        }

        foreach (var item in items)
        {
            Place(item, file);
        }

        var parts = _group.Build(_lastGroupNumber + 1, file.FileId, file.End, _syncedEnd);
        file.Content.Write(file.End, parts);
        file.Content.SyncData();
        Volatile.Write(ref _lastGroupNumber, _lastGroupNumber + 1);
        file.End += _group.TotalBytes;
        _syncedEnd = new(file.Number, file.End);
        HasUnsealed = items.Count > 0;
        return file;
    }

    private void Place(JournalItem item, JournalFile file)
    {
        var log = item.Log;
        item.Previous = item.Kind == RecordKind.Entry && log!.LastWritten.File == file.Number ? log.LastWritten.Offset : 0;
        item.Place = new(file.Number, file.End + _group.Add(item.Kind, item.Body, item.Previous));
        if (item.Kind == RecordKind.Entry)
        {
            log!.LastWritten = item.Place;
        }
        else if (item.Kind is RecordKind.Cut or RecordKind.Start or RecordKind.Remove)
        {
            log!.LastWritten = default; // no link leads over a cut
        }
    }

    private JournalFile FileFor(List<JournalItem> items, out bool isNew)
    {
        long bytes = GroupHeader.SizeBytes;
        var hasEntries = false;
        foreach (var item in items)
        {
            bytes += item.RecordBytes;
            hasEntries |= item.Kind == RecordKind.Entry;
        }

        var file = files.Current;
        isNew = file.End == FileHeader.SizeBytes;
        if (bytes <= file.Room - (hasEntries ? Reserve(file.SizeBytes) : 0) && !isNew)
        {
            return file;
        }

        bytes += RecordHeader.SizeBytes + FileListRecord.SizeOf(files.All.Count);
        if (isNew && bytes <= file.Room - Reserve(file.SizeBytes))
        {
            return file;
        }

        // A file larger than usual must keep its own share free as well.
        file = files.TakeNext(bytes + Math.Max(Reserve(bytes) * 2, JournalOptions.MinFileSizeBytes / ReserveShare));
        files.Add(file);
        isNew = true;
        return file;
    }

    // Kept for states, so that trimming, which makes room, works on a full disk.
    private static long Reserve(long bytes) => bytes / ReserveShare;
}
