namespace ReplicatedSqlite.Journal;

public sealed partial class NodeJournal
{
    /// <summary>Writes and syncs one group of what waits, and tells everybody in it. The journal's own thread does this; a simulation calls it.</summary>
    /// <returns><see langword="false"/> when nothing waited.</returns>
    public bool Flush()
    {
        if (_thread is not null && Thread.CurrentThread != _thread)
        {
            throw new InvalidOperationException("This journal writes on a thread of its own; only one opened without it is flushed by hand.");
        }

        lock (_gate)
        {
            if (_failed is not null)
            {
                return false;
            }

            _writing = _queue.TakeGroup();
        }

        TryMakeRoom();
        if (_writing.Count == 0)
        {
            return false;
        }

        List<JournalFile> removed = [];
        try
        {
            var file = _writer.Write(_writing);
            lock (_gate)
            {
                Apply(file, removed);
            }
        }
        catch (DiskFullException full)
        {
            RefuseAll(new JournalFullException(_files.Folder, full.NeededBytes, full));
            return true;
        }
        catch (Exception exception)
        {
            Fail(new JournalFailedException("a write or sync failed", exception));
            return false;
        }

        TellAll();
        Delete(removed);
        PrepareSpare();
        return true;
    }

    private void Delete(List<JournalFile> removed)
    {
        if (removed.Count == 0)
        {
            return;
        }

        try
        {
            _files.Remove(removed);
        }
        catch (Exception exception)
        {
            Fail(new JournalFailedException("a file that is no longer needed could not be deleted", exception));
        }
    }

    private void Apply(JournalFile file, List<JournalFile> removed)
    {
        var mayFree = false;
        foreach (var item in _writing)
        {
            var log = item.Log;
            if (log is not null)
            {
                log.Changes++;
            }

            switch (item.Kind)
            {
                case RecordKind.Entry:
                    LogIndex.AddEntry(log!, file, item.Place.Offset, item.Previous, item.Entry!.Predecessor, item.Entry.End, item.Body.Length);
                    break;
                case RecordKind.Note:
                    LogIndex.SetNote(log!, item.Note, file.Number);
                    break;
                case RecordKind.FileRemoved:
                    removed.Add(item.File!);
                    mayFree = true;
                    break;
                default:
                    LogIndex.SetState(log!, item.Kind, item.State, file.Number);
                    mayFree = true;
                    break;
            }
        }

        if (mayFree)
        {
            _wantsRoom |= _full is not null;
            RemoveUnneededFiles();
        }
    }

    // A file goes when no log needs anything in it. States and notes of which it holds the newest are written again first.
    private void RemoveUnneededFiles()
    {
        foreach (var file in _files.All.Where(file => file.Segments == 0 && !file.IsLeaving && file != _files.Current).ToList())
        {
            file.IsLeaving = true;
            var isOldest = file == _files.All.First();
            foreach (var log in _index.All.Where(log => log.StateFile == file.Number || log.NoteFile == file.Number).ToList())
            {
                CarryForward(log, file.Number, isOldest);
            }

            var listed = file.Listed with { End = 0 };
            _ = Add(new(RecordKind.FileRemoved, null, FileListRecord.Encode([listed]), _ => { }) { File = file });
        }
    }

    private void CarryForward(DatabaseLog log, int file, bool isOldest)
    {
        if (log.StateFile == file)
        {
            if (isOldest && log.IsRemoved && log.AppendedRemoved)
            {
                _index.Drop(log); // no older file is left that could bring its entries back
                return;
            }

            _ = AddState(log.AppendedRemoved ? RecordKind.Remove : RecordKind.Base, log, null);
        }

        if (log.NoteFile == file && !log.AppendedRemoved)
        {
            _ = AddNote(log, null);
        }
    }

    private void TellAll()
    {
        var told = _writing;
        lock (_gate)
        {
            _writing = [];
        }

        Tell(told, null);
    }

    // A callback that throws is a fault of its own caller; the others still hear. It stops the journal, because nobody knows what its caller missed.
    private void Tell(List<JournalItem> items, Exception? fault)
    {
        JournalFailedException? thrown = null;
        Volatile.Write(ref _tellingThread, Environment.CurrentManagedThreadId);
        foreach (var item in items)
        {
            try
            {
                item.Complete(fault);
            }
            catch (Exception exception)
            {
                thrown ??= new("a caller failed when it was told", exception);
            }
        }

        Volatile.Write(ref _tellingThread, 0);
        try
        {
            GroupTold?.Invoke();
        }
        catch (Exception exception)
        {
            thrown ??= new("those who were told failed", exception);
        }

        if (thrown is not null)
        {
            Fail(thrown);
        }
    }

    // The disk is full: what waits is given back, as if it had never come, and later entries are refused at the door.
    private void RefuseAll(JournalFullException full)
    {
        List<JournalItem> refused;
        lock (_gate)
        {
            refused = [.. _writing, .. _queue.TakeAll()];
            _writing = [];
            _full = full;
            foreach (var item in refused)
            {
                item.Log?.ForgetAppended();
                if (item.File is { } file)
                {
                    file.IsLeaving = false; // tried again with the next state that is written
                }

                if (item.Log is { IsUnknown: true } unknown)
                {
                    _index.Drop(unknown);
                }
            }
        }

        Tell(refused, full);
    }

    private void TryMakeRoom()
    {
        lock (_gate)
        {
            if (_full is null || !_wantsRoom)
            {
                return;
            }

            _wantsRoom = false;
        }

        try
        {
            if (_files.TryEnsureSpare())
            {
                lock (_gate)
                {
                    _full = null;
                }
            }
        }
        catch (Exception exception)
        {
            Fail(new JournalFailedException("the next file could not be made", exception));
        }
    }

    private void PrepareSpare()
    {
        lock (_gate)
        {
            if (_failed is not null || _full is not null)
            {
                return;
            }
        }

        _files.PrepareSpare();
    }

    private void Fail(JournalFailedException failed)
    {
        List<JournalItem> lost;
        lock (_gate)
        {
            _failed ??= failed;
            lost = [.. _writing, .. _queue.TakeAll()];
            _writing = [];
        }

        Tell(lost, failed); // comes back here at most once: by then nothing waits
    }
}
