using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

public sealed partial class NodeJournal
{
    /// <summary>Appends an entry; its place in the order is taken by the call itself, whatever is awaited.</summary>
    /// <param name="entry">Its predecessor must be the end of what was appended before.</param>
    /// <param name="onDurable">Told once, on the journal's thread, in order: the entry's end, and why it is not durable if it is not. Must be quick and not throw.</param>
    /// <returns>Completes when the queue has room for more; await it before the next call.</returns>
    /// <exception cref="JournalMismatchException">The predecessor is not the log's end.</exception>
    /// <exception cref="JournalFullException">The disk is full. Appending works again once there is room.</exception>
    /// <exception cref="JournalFailedException">The journal stopped.</exception>
    public Task EnqueueAsync(Entry entry, Action<Position, Exception?> onDurable)
    {
        lock (_gate)
        {
            ThrowIfStopped();
            if (_full is { } full)
            {
                _wantsRoom = true;
                _work.Set();
                throw new JournalFullException(_files.Folder, full.NeededBytes, full);
            }

            var log = _index.Get(entry.Database);
            if (log.AppendedRemoved || log.Appended != entry.Predecessor)
            {
                throw new JournalMismatchException(entry.Database, entry.Predecessor, log.Appended, log.AppendedRemoved ? "An entry after the removal" : "An entry");
            }

            log.Appended = entry.End;
            return Add(new(RecordKind.Entry, log, entry.Encoded, fault => onDurable(entry.End, fault)) { Entry = entry });
        }
    }

    /// <summary>Appends an entry and waits until it is durable. Like <see cref="EnqueueAsync"/> otherwise.</summary>
    /// <returns>The entry's end.</returns>
    public Task<Position> AppendAsync(Entry entry)
    {
        var durable = new TaskCompletionSource<Position>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = EnqueueAsync(entry, (end, fault) =>
        {
            if (fault is null)
            {
                durable.SetResult(end);
            }
            else
            {
                durable.SetException(fault);
            }
        });
        return durable.Task;
    }

    /// <summary>The log up to here is no longer needed here; the position and its hash are kept. Below the present base it does nothing.</summary>
    /// <param name="database">Whose log.</param>
    /// <param name="upTo">The new base.</param>
    /// <param name="onDurable">Told in place of the task, on the journal's thread and in order with the entries: why it is not durable, if it is not. Must be quick and not throw.</param>
    /// <exception cref="JournalMismatchException">The log does not hold this position, or not durably.</exception>
    public Task SetBaseAsync(DatabaseId database, Position upTo, Action<Exception?>? onDurable = null)
    {
        return WithLookUp(database, upTo, (log, isHeld) =>
        {
            if (upTo <= log.AppendedBase)
            {
                onDurable?.Invoke(null);
                return Task.CompletedTask;
            }

            if (!isHeld || !IsAppended(log, upTo, isHeld))
            {
                throw new JournalMismatchException(database, upTo, log.Durable, "A base");
            }

            log.AppendedBase = upTo;
            return AddState(RecordKind.Base, log, onDurable);
        });
    }

    /// <summary>Takes back what lies behind a position, to make room for what replaces it.</summary>
    /// <param name="database">Whose log.</param>
    /// <param name="end">Its new end.</param>
    /// <param name="onDurable">Told in place of the task, on the journal's thread and in order with the entries: why it is not durable, if it is not. Must be quick and not throw.</param>
    /// <exception cref="JournalMismatchException">The log does not hold this position, or its base is above it.</exception>
    public Task CutToAsync(DatabaseId database, Position end, Action<Exception?>? onDurable = null)
    {
        return WithLookUp(database, end, (log, isHeld) =>
        {
            if (end < log.AppendedBase || !IsAppended(log, end, isHeld))
            {
                throw new JournalMismatchException(database, end, log.Appended, "A cut");
            }

            log.Appended = end;
            return AddState(RecordKind.Cut, log, onDurable);
        });
    }

    /// <summary>Empties a log, known or not; it goes on behind <paramref name="start"/>, which a durable base elsewhere stands for.</summary>
    /// <param name="database">Whose log.</param>
    /// <param name="start">Where it begins, and ends.</param>
    /// <param name="onDurable">Told in place of the task, on the journal's thread and in order with the entries: why it is not durable, if it is not. Must be quick and not throw.</param>
    public Task StartAtAsync(DatabaseId database, Position start, Action<Exception?>? onDurable = null)
    {
        lock (_gate)
        {
            ThrowIfStopped();
            var log = _index.Get(database);
            if (log.AppendedRemoved)
            {
                _ = AddNote(log, null); // an empty one: the record of the removal may go before the file with the note it took away
            }

            (log.Appended, log.AppendedBase, log.AppendedRemoved) = (start, start, false);
            return AddState(RecordKind.Start, log, onDurable);
        }
    }

    /// <summary>Forgets a database with its note. It takes entries and notes again only after <see cref="StartAtAsync"/>.</summary>
    public Task RemoveAsync(DatabaseId database)
    {
        lock (_gate)
        {
            ThrowIfStopped();
            var log = _index.Get(database);
            (log.Appended, log.AppendedBase, log.AppendedNote, log.AppendedRemoved) = (Position.Start, Position.Start, default, true);
            return AddState(RecordKind.Remove, log, null);
        }
    }

    /// <summary>Keeps a few bytes of the follower's own with a database, such as its promise: durable in order with the entries; the newest counts.</summary>
    /// <param name="database">Whose.</param>
    /// <param name="note">All of it.</param>
    /// <param name="onDurable">Told in place of the task, on the journal's thread and in order with the entries: why it is not durable, if it is not. Must be quick and not throw.</param>
    /// <exception cref="JournalMismatchException">The database was removed.</exception>
    public Task SetNoteAsync(DatabaseId database, ReadOnlySpan<byte> note, Action<Exception?>? onDurable = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(note.Length, NoteRecord.MaxBytes);
        lock (_gate)
        {
            ThrowIfStopped();
            var log = _index.Get(database);
            if (log.AppendedRemoved)
            {
                throw new JournalMismatchException(database, Position.Start, log.Appended, "A note after the removal");
            }

            log.AppendedNote = note.ToArray();
            return AddNote(log, onDurable);
        }
    }

    // The disk is read outside the lock. What waited may have become durable meanwhile, and then the answer is of no use: it is asked again.
    private Task WithLookUp(DatabaseId database, Position position, Func<DatabaseLog, bool, Task> act)
    {
        while (true)
        {
            long changes;
            lock (_gate)
            {
                changes = _index.Find(database)?.Changes ?? 0;
            }

            var isHeld = Holds(database, position);
            lock (_gate)
            {
                ThrowIfStopped();
                var log = _index.Get(database);
                if (log.Changes == changes)
                {
                    return act(log, isHeld);
                }
            }
        }
    }

    private Task AddState(RecordKind kind, DatabaseLog log, Action<Exception?>? onDurable)
    {
        var (told, durable) = Telling(onDurable);
        var state = new StateRecord(log.Id, log.AppendedBase, log.Appended);
        _ = Add(new(kind, log, state.Encode(), told) { State = state });
        return durable;
    }

    private Task AddNote(DatabaseLog log, Action<Exception?>? onDurable)
    {
        var (told, durable) = Telling(onDurable);
        _ = Add(new(RecordKind.Note, log, NoteRecord.Encode(log.Id, log.AppendedNote.Span), told) { Note = log.AppendedNote });
        return durable;
    }

    private static (Action<Exception?> Told, Task Durable) Telling(Action<Exception?>? onDurable)
    {
        if (onDurable is not null)
        {
            return (onDurable, Task.CompletedTask);
        }

        var durable = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return (fault => Complete(durable, fault), durable.Task);
    }

    private Task Add(JournalItem item)
    {
        var room = _queue.Add(item);
        _work.Set();
        return room;
    }

    // Held durably is not enough: something that waits may cut it.
    private bool IsAppended(DatabaseLog log, Position position, bool isHeld)
    {
        foreach (var item in _writing.Concat(_queue.Waiting).Where(item => item.Log == log))
        {
            isHeld = item.Kind switch
            {
                RecordKind.Entry => isHeld || item.Entry!.End == position,
                RecordKind.Cut => isHeld && position <= item.State.End,
                RecordKind.Start or RecordKind.Remove => position == item.State.End,
                _ => isHeld,
            };
        }

        return isHeld;
    }

    private void ThrowIfStopped()
    {
        ObjectDisposedException.ThrowIf(_stopping, this);
        if (_failed is { } failed)
        {
            throw new JournalFailedException("it failed before", failed);
        }
    }

    private static void Complete(TaskCompletionSource durable, Exception? fault)
    {
        if (fault is null)
        {
            durable.SetResult();
        }
        else
        {
            durable.SetException(fault);
        }
    }
}
