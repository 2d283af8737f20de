using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>Takes the records of valid groups, in order, into the index.</summary>
internal sealed class Replay(LogIndex index)
{
    private readonly HashSet<Guid> _removedFiles = [];

    /// <summary>The files that were there when the newest file was begun.</summary>
    public IReadOnlyList<ListedFile> Listed { get; private set; } = [];

    public bool IsRemoved(Guid fileId) => _removedFiles.Contains(fileId);

    /// <summary>Takes one group.</summary>
    /// <param name="file">Where it stands.</param>
    /// <param name="bodyOffset">Where its body begins in the file.</param>
    /// <param name="body">Checked by its checksum.</param>
    /// <param name="recordCount">As the header says.</param>
    public void Take(JournalFile file, int bodyOffset, ReadOnlySpan<byte> body, int recordCount)
    {
        var records = new GroupBody(body);
        var count = 0;
        var offset = bodyOffset;
        string? fault;
        while (records.TryNext(out var header, out var recordBody, out fault))
        {
            fault = Take(file, offset, header, recordBody);
            if (fault is not null)
            {
                break;
            }

            count++;
            offset = bodyOffset + records.Offset;
        }

        if (fault is not null || count != recordCount)
        {
            throw new JournalDamagedException(file.Name, offset, fault ?? $"{count} records were found", $"a group of {recordCount} records that this build can read was wanted");
        }
    }

    /// <summary>Each log must go from its base to its end without a gap: what is missing below is not needed, what is missing above was lost.</summary>
    public void CheckChains()
    {
        foreach (var log in index.All)
        {
            LogIndex.Trim(log);
            var end = log.Base;
            foreach (var run in log.Segments)
            {
                // Only the first may begin below, at an entry that is not needed any more.
                if (run.Predecessor != end && (end != log.Base || run.Predecessor > end))
                {
                    throw new JournalDamagedException(
                        run.File.Name, run.FirstOffset, $"the log of {log.Id} was found to go on behind {run.Predecessor}", $"the entry behind {end} was wanted");
                }

                end = run.End;
            }

            if (end != log.Durable)
            {
                throw new JournalDamagedException(
                    FileHeader.NameOf(Math.Max(1, log.StateFile)), 0, $"the log of {log.Id} was found to end at {end}", $"entries up to {log.Durable} were wanted");
            }

            log.ForgetAppended();
        }
    }

    private string? Take(JournalFile file, int offset, in RecordHeader header, ReadOnlySpan<byte> body)
    {
        string? fault;
        switch (header.Kind)
        {
            case RecordKind.Entry:
                return TakeEntry(file, offset, header, body);
            case RecordKind.Base or RecordKind.Cut or RecordKind.Remove or RecordKind.Start:
                return StateRecord.TryRead(body, out var state) ?? TakeState(file, header.Kind, state);
            case RecordKind.Note:
                fault = NoteRecord.TryRead(body, out var database, out var note);
                LogIndex.SetNote(index.Get(database), note.ToArray(), file.Number);
                return fault;
            case RecordKind.Files:
                fault = FileListRecord.TryRead(body, out var listed);
                Listed = listed;
                return fault;
            case RecordKind.FileRemoved:
                fault = FileListRecord.TryRead(body, out var removed);
                _removedFiles.UnionWith(removed.Select(gone => gone.FileId));
                return fault;
            default:
                return $"record kind {header.Kind} was found";
        }
    }

    private string? TakeEntry(JournalFile file, int offset, in RecordHeader record, ReadOnlySpan<byte> body)
    {
        if (EntryLayout.TryRead(body, out var header, out _) is { } fault)
        {
            return fault;
        }

        var log = index.Get(header.Database);
        if (log.Durable != header.Predecessor && !LogIndex.TryCut(log, header.Predecessor))
        {
            LogIndex.LeapTo(log, header.Predecessor);
        }

        LogIndex.AddEntry(log, file, offset, record.Previous, header.Predecessor, RunWalker.EndOf(body, header), body.Length);
        return null;
    }

    private string? TakeState(JournalFile file, RecordKind kind, in StateRecord state)
    {
        LogIndex.SetState(index.Get(state.Database), kind, state, file.Number);
        return null;
    }
}
