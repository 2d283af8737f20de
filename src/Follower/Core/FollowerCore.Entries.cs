using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

// The log: what is appended, cut, confirmed, trimmed and acknowledged.
internal partial class FollowerCore
{
    private readonly List<KnownSets> _sets = []; // in this log, oldest first, from those at its beginning on
    private Position? _matched; // of the promised leadership
    private Position _notedConfirmed; // as the newest note says

    /// <summary>The newest follower sets in this log.</summary>
    public KnownSets? Sets => _sets.Count == 0 ? null : _sets[^1];

    /// <summary>All follower sets in this log, oldest first, from those at its beginning on.</summary>
    public IReadOnlyList<KnownSets> AllSets => _sets;

    /// <summary>The greatest position of the promised leader's own log that is known to be in this one, by hash; on disk or not.</summary>
    protected Position? Matched => _matched;

    /// <summary>How far the leader's log is equal to this one <i>and</i> on disk. Never this log's own end: that may be another leader's.</summary>
    protected virtual Position? AckPosition() =>
        _matched is { } matched && _promiseTicket <= _written && Log.Synced is { } synced
            ? matched <= synced ? matched : synced
            : null;

    /// <summary>Where to cut, once the entries that both hold are passed.</summary>
    /// <param name="reached">The last position that both hold.</param>
    /// <param name="differs">An entry follows that this log does not hold. Without one nothing is cut: what lies behind may have come later.</param>
    protected virtual Position? CutPlace(Position reached, bool differs) => differs && reached != Log.Last ? reached : null;

    /// <summary>Where a mark moves the confirmed position to: to exactly the entry that it names, if the leader's log is known to be equal up to there.</summary>
    protected virtual Position? ConfirmedBy(Position mark) => mark > Confirmed && mark <= _matched && Log.Holds(mark) ? mark : null;

    private void TakeEntries(int stream, LeaderStream from, Promise promise, Position previous, ReadOnlySpan<Entry> entries, List<FollowerAction> actions)
    {
        if (Log.UnsyncedCount > 0 && (Log.UnsyncedCount + entries.Length > MaxUnsyncedEntries || Log.UnsyncedBytes > MaxUnsyncedBytes))
        {
            End(stream, from, $"{Log.UnsyncedCount} entries of {Log.UnsyncedBytes} bytes wait for the disk; come again", actions);
            return;
        }

        if (FindFault(previous, entries, out var decided) is { } fault)
        {
            End(stream, from, fault, actions);
            return;
        }

        if (Meet(previous, ref entries) is not { } reached)
        {
            Reply(stream, new Mismatched(promise, previous, Log.FloorOf(previous), Log.First), actions);
            return;
        }

        while (!entries.IsEmpty && Log.Holds(entries[0].End))
        {
            reached = entries[0].End;
            entries = entries[1..];
        }

        if (!TryAppend(reached, entries, decided, actions))
        {
            return;
        }

        reached = entries.IsEmpty ? reached : entries[^1].End;
        if (_matched is not { } matched || reached > matched)
        {
            _matched = reached;
        }

        (from.WantsAcks, from.Leader, from.Acked) = (true, promise, null);
        if (AckPosition() >= reached)
        {
            Acknowledge(stream, from, actions);
        }
    }

    // The position that both logs hold and behind which the entries go on; entries below the base are skipped.
    private Position? Meet(Position previous, ref ReadOnlySpan<Entry> entries)
    {
        if (Log.Holds(previous))
        {
            return previous;
        }

        if (previous >= Log.First)
        {
            return null;
        }

        while (!entries.IsEmpty && entries[0].End <= Log.First)
        {
            previous = entries[0].End;
            entries = entries[1..];
        }

        return previous == Log.First ? previous : null;
    }

    private bool TryAppend(Position reached, ReadOnlySpan<Entry> entries, List<KnownSets>? decided, List<FollowerAction> actions)
    {
        var noteIsStale = false;
        if (CutPlace(reached, differs: !entries.IsEmpty) is { } cut)
        {
            if (cut < Confirmed)
            {
                Diverge($"A leader's log leaves this one behind {cut}, but {Confirmed} is confirmed. Entries that were confirmed were lost somewhere; nothing more is taken.", actions);
                return false;
            }

            DropAllParts();
            Log.CutTo(cut);
            actions.Add(new FollowerAction.WriteCut(cut, NextTicket()));
            noteIsStale = _sets.RemoveAll(known => known.DecidedAt > cut) > 0;
            if (_matched > cut)
            {
                _matched = cut;
            }
        }

        // Sets are noted behind the cut that may have taken others away, and before the entries that decide them.
        foreach (var known in decided ?? [])
        {
            if (known.DecidedAt > reached)
            {
                AddSets(known);
                noteIsStale = true;
            }
        }

        if (noteIsStale)
        {
            _promiseTicket = WriteNote(actions);
        }

        foreach (var entry in entries)
        {
            var ticket = NextTicket();
            Log.Append(entry, ticket);
            actions.Add(new FollowerAction.WriteEntry(entry, ticket));
        }

        return true;
    }

    private void TakePart(int stream, LeaderStream from, AppendPart part, List<FollowerAction> actions)
    {
        if (part.Number == 0)
        {
            DropParts(from);
            // Asked before a gigabyte has come.
            from.Parts = Log.Holds(part.Previous) || part.Previous < Log.First ? PartAssembly.TryBegin(part) : null;
        }

        if (from.Parts is not { } parts || !parts.TryAdd(part))
        {
            DropParts(from);
            Reply(stream, new Mismatched(part.Promise, part.Previous, Log.FloorOf(part.Previous), Log.First), actions);
        }
        else if (part.IsLast)
        {
            DropParts(from);
            if (Entry.TryDecode(parts.Bytes, out var entry, out var fault))
            {
                TakeEntries(stream, from, part.Promise, part.Previous, [entry], actions);
            }
            else
            {
                End(stream, from, $"the parts are not an entry: {fault}", actions);
            }
        }
    }

    private void TakeStart(int stream, LeaderStream from, StartAt start, List<FollowerAction> actions)
    {
        if (Log.Holds(start.Base) || start.Base < Log.First)
        {
            // It came twice, or late: nothing is emptied for what is here already.
            TakeEntries(stream, from, start.Promise, start.Base, [], actions);
            return;
        }

        if (start.Base <= Confirmed)
        {
            Diverge($"A leader begins at {start.Base}, which is not in this log, although {Confirmed} is confirmed here.", actions);
            return;
        }

        DropAllParts();

        // Noted before the log is emptied, so that a base never stands here without the sets that go with it; what the old log knew goes with the note behind it.
        var known = start.Sets;
        WriteNote(actions, known is null ? _sets : [.. _sets.Where(older => older.DecidedAt < known.DecidedAt), known, .. _sets.Where(newer => newer.DecidedAt > known.DecidedAt)]);
        var ticket = NextTicket();
        actions.Add(new FollowerAction.WriteStart(start.Base, ticket));
        Log.StartAt(start.Base, ticket);
        Confirmed = start.Base;
        _matched = start.Base;
        _sets.Clear();
        if (known is not null)
        {
            _sets.Add(known);
        }

        _promiseTicket = WriteNote(actions);
        (from.WantsAcks, from.Leader, from.Acked) = (true, start.Promise, null);
    }

    private void TakeMark(Mark mark, List<FollowerAction> actions)
    {
        if (ConfirmedBy(mark.Position) is not { } confirmed)
        {
            return;
        }

        Confirmed = confirmed;
        var newest = _sets.FindLastIndex(known => known.DecidedAt <= confirmed);
        var isChangeDone = newest >= 0 && _sets[newest].Sets.Old is not null && _sets[newest].DecidedAt > _notedConfirmed;
        if (isChangeDone)
        {
            WriteNote(actions); // after a start too the old set need not be asked any more
        }
    }

    private void TakeTrim(Trim trim, List<FollowerAction> actions)
    {
        if (trim.To > Log.First && trim.To <= Confirmed && Log.Holds(trim.To))
        {
            Log.TrimTo(trim.To);
            DropOlderSets();
            actions.Add(new FollowerAction.WriteBase(trim.To, NextTicket()));
        }
    }

    private void Acknowledge(int stream, LeaderStream leader, List<FollowerAction> actions)
    {
        if (leader.WantsAcks && AckPosition() is { } position && (leader.Acked is not { } acked || position > acked))
        {
            leader.Acked = position;
            Reply(stream, new Acked(leader.Leader, position), actions);
        }
    }

    private long WriteNote(List<FollowerAction> actions, IReadOnlyList<KnownSets>? sets = null)
    {
        var ticket = NextTicket();
        _notedConfirmed = Confirmed;
        actions.Add(new FollowerAction.WriteNote(new(Promised, Deleted, Confirmed, [.. sets ?? _sets]), ticket));
        return ticket;
    }

    private void Recover(FollowerNote note)
    {
        (Promised, Deleted) = (note.Promise, note.IsDeleted);
        _mayHaveLeased = Promised != Promise.None; // heartbeats are acknowledged once the promise is on disk, so without one there was no lease
        // Notes go before the entries that they speak of: those that did not come to the disk decided nothing.
        _sets.AddRange(note.Sets.Where(known => known.DecidedAt <= Log.First || Log.Holds(known.DecidedAt)));
        if (note.Confirmed > Confirmed && Log.Holds(note.Confirmed))
        {
            Confirmed = note.Confirmed;
        }

        _notedConfirmed = Confirmed;
    }

    // Those at the log's beginning stay: who is handed a base needs the sets there.
    private void DropOlderSets()
    {
        if (_sets.FindLastIndex(known => known.DecidedAt <= Log.First) is var atFirst && atFirst > 0)
        {
            _sets.RemoveRange(0, atFirst);
        }
    }

    // A note has room for MaxSets. Most leaderships change nothing: of equal neighbours the later one goes. Else the oldest, which only somebody who is handed an old base would miss.
    private void AddSets(KnownSets known)
    {
        _sets.Add(known);
        if (_sets.Count > FollowerNote.MaxSets)
        {
            var same = Enumerable.Range(1, _sets.Count - 2).FirstOrDefault(i => _sets[i].Sets == _sets[i - 1].Sets);
            _sets.RemoveAt(same);
        }
    }

    private static string? FindFault(Position previous, ReadOnlySpan<Entry> entries, out List<KnownSets>? decided)
    {
        decided = null;
        foreach (var entry in entries)
        {
            if (entry.Predecessor != previous)
            {
                return $"an entry behind {entry.Predecessor} was found where one behind {previous} was wanted";
            }

            previous = entry.End;
            try
            {
                if (FollowerSets.Of(entry) is { } sets)
                {
                    (decided ??= []).Add(new(entry.End, sets));
                }
            }
            catch (EntryFormatException damaged)
            {
                return damaged.Message;
            }
        }

        return null;
    }
}
