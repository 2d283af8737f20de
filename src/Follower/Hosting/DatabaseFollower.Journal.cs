using ReplicatedSqlite.Journal;

namespace ReplicatedSqlite.Follower;

/// <content>What the core orders, and what the journal tells back of it.</content>
internal sealed partial class DatabaseFollower
{
    private void Carry(FollowerAction action)
    {
        switch (action)
        {
            case FollowerAction.Reply(var stream, var message):
                _sinks.GetValueOrDefault(stream)?.Reply(message);
                break;
            case FollowerAction.WriteEntry(var entry, var ticket):
                _room = _journal.EnqueueAsync(entry, (_, fault) => Told(ticket, fault));
                Interlocked.Increment(ref _outstanding); // it may be told back before, which is why nobody looks at it outside this lock
                break;
            case FollowerAction.WriteCut(var end, var ticket):
                Write(told => _journal.CutToAsync(_database, end, told), ticket);
                break;
            case FollowerAction.WriteNote(var note, var ticket):
                Write(told => _journal.SetNoteAsync(_database, note.Encode(), told), ticket);
                break;
            case FollowerAction.WriteBase(var to, var ticket):
                Write(told => _journal.SetBaseAsync(_database, to, told), ticket);
                break;
            case FollowerAction.WriteStart(var start, var ticket):
                Write(told => _journal.StartAtAsync(_database, start, told), ticket);
                break;
            case FollowerAction.CloseStream(var stream, var reason):
                _sinks.GetValueOrDefault(stream)?.End(reason);
                break;
            case FollowerAction.Diverged(var reason):
                FollowerLog.Diverged(_node.Logger, _database, reason);
                break;
        }
    }

    // Told on the journal's thread, as entries are: that one of these failed must be known before a later entry is taken for durable.
    private void Write(Func<Action<Exception?>, Task> write, long ticket)
    {
        _ = write(fault => Told(ticket, fault));
        Interlocked.Increment(ref _outstanding);
    }

    private async Task TrackAsync(Task emptied)
    {
        try
        {
            await emptied;
            Told(0, null);
        }
        catch (Exception e) when (e is JournalException or ObjectDisposedException)
        {
            Told(0, e);
            throw;
        }
    }

    // On the journal's thread, in order; on the pool for a log that is emptied because nobody keeps it.
    private void Told(long ticket, Exception? fault)
    {
        if (fault is not null)
        {
            Interlocked.CompareExchange(ref _fault, fault, null); // its ticket is told of no core: it is not on disk
        }

        for (var written = Interlocked.Read(ref _written); fault is null && ticket > written;)
        {
            var seen = Interlocked.CompareExchange(ref _written, ticket, written);
            if (seen == written)
            {
                break;
            }

            written = seen;
        }

        Interlocked.Decrement(ref _outstanding);
        if (Interlocked.Exchange(ref _isScheduled, 1) == 0)
        {
            _told.Add(this);
        }
    }

    private void Fail(Exception met)
    {
        var fault = Interlocked.Exchange(ref _fault, null) ?? met; // what the journal told before explains the rest: an entry behind one that it refused fits nowhere
        FollowerLog.Restarted(_node.Logger, _database, fault.Message);
        Break(fault is JournalFullException ? $"The follower's disk is full: {fault.Message}" : fault.Message);
        if (_journal.Fault is { } failed)
        {
            _node.JournalHasFailed(_journal, failed);
        }
    }
}
