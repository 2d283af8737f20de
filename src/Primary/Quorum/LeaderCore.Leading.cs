using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

// From the epoch entry on: entries, acks, marks, proofs.
internal sealed partial class LeaderCore
{
    private Position _trim;

    /// <summary>Adds an entry to the log: the epoch entry that was asked for, then the writer's. It goes to everybody who has room, at this moment.</summary>
    /// <exception cref="InvalidOperationException">It does not follow, or it is too early for it.</exception>
    public void Append(Entry entry, long now, List<LeaderAction> actions)
    {
        _now = now;
        if (Phase is LeaderPhase.Lost or LeaderPhase.Deleted)
        {
            return; // whatever waits for it is told at the gate
        }

        if (entry.Predecessor != Appended || entry.End.Epoch != Promise.Epoch)
        {
            throw new InvalidOperationException($"The log of epoch {Promise.Epoch} ends at {Appended}; {entry} behind {entry.Predecessor} cannot follow it.");
        }

        if (Phase == LeaderPhase.Opening && _sets is null)
        {
            _sets = FollowerSets.Of(entry) is { } sets && sets == _opening
                ? new(entry.End, sets)
                : throw new InvalidOperationException($"{entry} was found; the epoch entry that names {_opening} was wanted.");
        }
        else if (Phase != LeaderPhase.Leading || entry.Header.IsEpochEntry)
        {
            throw new InvalidOperationException($"Nothing but the one epoch entry can be appended before that is confirmed, and nothing after the leadership is passed on; {entry} was found while {Phase}.");
        }

        _log.Append(entry.End);
        _history.Add(entry);
        Append? shared = null;
        foreach (var member in _byIndex)
        {
            member.Push(entry, ref shared, now, actions);
        }
    }

    /// <summary>The log was read for a member: entries right behind <paramref name="after"/>, at least one unless it cannot be read now.</summary>
    /// <param name="member">Who asked.</param>
    /// <param name="after">As it asked.</param>
    /// <param name="entries">What was read.</param>
    /// <param name="isTrimmed">The log begins behind <paramref name="after"/>.</param>
    /// <param name="now">When.</param>
    /// <param name="actions">Receives what to do.</param>
    public void LogRead(Guid member, Position after, ImmutableArray<Entry> entries, bool isTrimmed, long now, List<LeaderAction> actions)
    {
        _now = now;
        if (IsOver || !_members.TryGetValue(member, out var core))
        {
            return;
        }

        Check(core, core.LogRead(after, entries, isTrimmed, now, actions), actions);
        Tell(core, actions);
    }

    /// <summary>The log up to a confirmed position is in a durable base: followers need it no longer.</summary>
    public void Trim(Position to, long now, List<LeaderAction> actions)
    {
        _now = now;
        if (to > Confirmed)
        {
            throw new ArgumentOutOfRangeException(nameof(to), $"{to} is not confirmed; {Confirmed} is.");
        }

        if (Phase == LeaderPhase.Leading && to > _trim)
        {
            _trim = to;
            foreach (var member in _byIndex)
            {
                member.Trim(to, actions);
            }
        }
    }

    /// <summary>A read wants to know whether what is confirmed here is all that was answered before it came.</summary>
    /// <param name="token">Names it.</param>
    /// <param name="now">When it came.</param>
    /// <param name="actions">Receives the proof, at once or later.</param>
    /// <param name="keepsLease">Off for what asks on its own account, however long nobody reads: a quorum need not be kept busy for it.</param>
    public void AskProof(long token, long now, List<LeaderAction> actions, bool keepsLease = true)
    {
        _now = now;
        if (Phase is LeaderPhase.Lost or LeaderPhase.HandingOver or LeaderPhase.Deleted)
        {
            actions.Add(LeaderAction.Proof(token, ok: false));
        }
        else if (_lease.Ask(token, now, keepsLease, actions))
        {
            Beat(now, actions);
        }
    }

    private void Beat(long now, List<LeaderAction> actions)
    {
        var heartbeat = new Heartbeat(Promise, _lease.Send(now));
        foreach (var need in _needs)
        {
            foreach (var index in need.Members)
            {
                if (_byIndex[index].IsReady)
                {
                    _byIndex[index].Beat(heartbeat, now, actions);
                }
            }
        }
    }

    private void TakeAck(MemberCore member, Position position, long now, List<LeaderAction> actions)
    {
        if (_fetch is not null)
        {
            if (member.Id == _start.OwnJournal)
            {
                _fetch.OwnAcked(position, now, actions);
            }
            else if (member.Id == _fetch.Holder)
            {
                _fetch.HolderAcked(position, now, actions);
            }

            return;
        }

        if (Phase is not (LeaderPhase.Opening or LeaderPhase.Leading) || member.State == MemberState.Excluded || !_rules.Counts(position, member.WasSent(position) || _log.Holds(position)))
        {
            return;
        }

        member.TakeAck(position, actions);
        if (member.Id == _start.OwnJournal)
        {
            _log.Kept(position);
        }

        if (!_quorum.Count(member.Index, position) || !Confirm(now, actions))
        {
            Tell(member, actions);
        }
    }

    private void TakeMismatch(MemberCore member, Mismatched answer, long now, List<LeaderAction> actions)
    {
        if (_fetch is null)
        {
            Check(member, member.Mismatched(answer, now, actions), actions);
        }
        else if (member.Id == _start.OwnJournal)
        {
            _fetch.OwnFailed();
        }
        else if (member.Id == _fetch.Holder)
        {
            _fetch.HolderMismatched(answer, now, actions);
        }
    }

    private bool Confirm(long now, List<LeaderAction> actions)
    {
        var common = _quorum.Common();
        if (common <= Confirmed || !_rules.MayConfirm(Promise, common))
        {
            return false;
        }

        Confirmed = common;
        if (Phase == LeaderPhase.Opening && _sets is { } sets && common >= sets.DecidedAt)
        {
            // From here on the new set alone counts.
            Phase = LeaderPhase.Leading;
            Need(_rules.SetsToConfirm(sets.Sets, isConfirmed: true));
            _lease.Open(_needs);
            Confirmed = _quorum.Common();
        }

        actions.Add(LeaderAction.Confirmed(Confirmed));
        Mark? shared = null;
        foreach (var member in _byIndex)
        {
            member.Mark(Confirmed, isLast: false, ref shared, actions);
            member.Trim(_trim, actions);
        }

        if (_opening is not null && Phase == LeaderPhase.Leading)
        {
            _opening = null;
            Retire(actions);
            if (_lease.Pass(now, actions))
            {
                Beat(now, actions);
            }
        }

        return true;
    }

    private void Tell(MemberCore member, List<LeaderAction> actions)
    {
        Mark? alone = null;
        member.Mark(Confirmed, isLast: false, ref alone, actions);
        member.Trim(_trim, actions);
    }

    // Who is in the set no more has heard of the change, if it could be reached; it keeps its log until the catalogue says so.
    private void Retire(List<LeaderAction> actions)
    {
        foreach (var member in _byIndex)
        {
            if (!_sets!.Sets.Current.Contains(member.Id) && _members.Remove(member.Id))
            {
                Mark? last = null;
                member.Mark(Confirmed, isLast: true, ref last, actions);
                member.Disconnected();
                actions.Add(LeaderAction.Release(member.Id));
            }
        }
    }
}
