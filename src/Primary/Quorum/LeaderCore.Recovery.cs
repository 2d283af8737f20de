using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

// From the first Seal to the epoch entry.
internal sealed partial class LeaderCore
{
    private FetchCore? _fetch;
    private bool _ownIsKnown; // what the own follower said of its log is so
    private bool _resumeIsChecked;
    private long? _retryAt;
    private long? _retryAllAt;
    private FollowerSets? _opening; // what the epoch entry is to say
    private KnownSets? _sets; // what it says

    /// <summary>Entries came from the holder, in order behind <paramref name="from"/>; some, not necessarily all.</summary>
    public void Fetched(Guid holder, Position from, ImmutableArray<Entry> entries, long now, List<LeaderAction> actions)
    {
        _now = now;
        if (holder == _fetch?.Holder)
        {
            _fetch.Fetched(from, entries, now, actions);
            EvaluateFetch(now, actions);
        }
    }

    /// <summary>A durable base is at hand on the leader's node, fsynced; the own follower's log is to begin there.</summary>
    /// <param name="holder">Whose log begins at or below it.</param>
    /// <param name="position">The base.</param>
    /// <param name="sets">The sets in force there, as the base says; <see langword="null"/> if it does not.</param>
    /// <param name="now">When.</param>
    /// <param name="actions">Receives what to do.</param>
    public void BaseFetched(Guid holder, Position position, KnownSets? sets, long now, List<LeaderAction> actions)
    {
        _now = now;
        if (holder == _fetch?.Holder)
        {
            _fetch.BaseFetched(position, sets ?? _recovery.Known, Own.Answer, now, actions);
            EvaluateFetch(now, actions);
        }
    }

    /// <summary>The holder's log, or a base, could not be read.</summary>
    public void FetchFailed(Guid holder, long now, List<LeaderAction> actions)
    {
        _now = now;
        if (holder == _fetch?.Holder)
        {
            _fetch.FetchFailed();
            EvaluateFetch(now, actions);
        }
    }

    private void Resume(Position resumed)
    {
        _log.Adopt(resumed);
        Confirmed = resumed;
        _sets = _start.OwnSets ?? new(Position.Start, new(null, _start.Hint));
        Phase = LeaderPhase.Leading;
    }

    private Promised? PassedOn(Guid member)
    {
        foreach (var passed in _start.Promises)
        {
            if (passed.Member == member)
            {
                return passed.Answer;
            }
        }

        return null;
    }

    private void Promised(MemberCore member, Promised answer, long now, List<LeaderAction> actions)
    {
        if (answer.Sets is { } sets && sets.DecidedAt.Epoch > Promise.Epoch)
        {
            Lose(LossReason.NewerSet, null, $"follower {member.Id} knows follower sets of epoch {sets.DecidedAt.Epoch}; this leadership is of epoch {Promise.Epoch}", actions);
            return;
        }

        var isOwn = member.Id == _start.OwnJournal;
        if (isOwn && _start.Resumed is { } resumed && !_resumeIsChecked)
        {
            _resumeIsChecked = true;
            if (answer.Last != resumed)
            {
                Lose(LossReason.OwnJournal, null, $"the own log ends at {answer.Last}; the leadership left it at {resumed}. Another epoch must be taken", actions);
                return;
            }
        }

        if (Phase == LeaderPhase.Deleted)
        {
            return; // it is under the tombstone too; its log was emptied at an end of its own
        }

        if (Phase is not (LeaderPhase.Sealing or LeaderPhase.Fetching))
        {
            Match(member, now, actions);
            return;
        }

        _ownIsKnown |= isOwn;
        if (_recovery.Add(member.Id, answer) && Phase == LeaderPhase.Fetching)
        {
            _fetch!.OwnFailed(); // the newer sets must have promised too, before anything is adopted
            EvaluateFetch(now, actions);
        }
        else
        {
            Evaluate(now, actions);
        }
    }

    // Whether the promises suffice, and what to do then.
    private void Evaluate(long now, List<LeaderAction> actions)
    {
        if (Phase != LeaderPhase.Sealing)
        {
            if (Phase == LeaderPhase.Leading && _start.Resumed is not null && _needs.Length > 0)
            {
                _lease.Open(_needs);
            }

            return;
        }

        Meet(actions);
        if (!_recovery.IsSealed)
        {
            return;
        }

        if (_start.Deletes)
        {
            Phase = LeaderPhase.Deleted;
            actions.Add(LeaderAction.Deleted());
            return;
        }

        if (!_ownIsKnown || now < _retryAt || !_recovery.TryChoose(out var holder, out var answer))
        {
            return;
        }

        if (answer.Last.Epoch >= Promise.Epoch)
        {
            Lose(LossReason.EpochUsed, new(answer.Last.Epoch, 0), $"follower {holder} has an entry of epoch {answer.Last.Epoch}; this leadership is of epoch {Promise.Epoch}", actions);
        }
        else if (!_recovery.SetsToWrite.Current.Contains(_start.OwnJournal))
        {
            Lose(LossReason.NotFollower, null, $"journal {_start.OwnJournal} is not among the followers that are to be in force, {_recovery.SetsToWrite.Current}", actions);
        }
        else
        {
            Phase = LeaderPhase.Fetching;
            _retryAt = null;
            _fetch = new FetchCore(Promise, _ownLog, _start.OwnJournal, holder, answer, _history, _times, _limits);
            _fetch.Start(now, actions);
            EvaluateFetch(now, actions);
        }
    }

    private void EvaluateFetch(long now, List<LeaderAction> actions)
    {
        if (Phase != LeaderPhase.Fetching || _fetch is null)
        {
            return;
        }

        if (_fetch.IsDone)
        {
            Open(_fetch.Adopted, now, actions);
        }
        else if (_fetch.HasFailed)
        {
            if (_fetch.BlamesHolder)
            {
                _recovery.GoOnWithout(_fetch.Holder);
                _retryAllAt = now + (5 * _times.RetryAfter);
            }
            else
            {
                _retryAt = now + _times.RetryAfter;
            }

            _fetch = null;
            Phase = LeaderPhase.Sealing;

            // Something may still be on its way to the own disk; it says when it is there.
            _ownIsKnown = false;
            Own.AskAgain(now, actions);
            Meet(actions);
        }
    }

    private void Retry(long now, List<LeaderAction> actions)
    {
        if (Phase != LeaderPhase.Sealing || !(now >= _retryAt || now >= _retryAllAt))
        {
            return;
        }

        if (now >= _retryAllAt)
        {
            _recovery.TryAllAgain();
            _retryAllAt = null;
        }

        _retryAt = now >= _retryAt ? null : _retryAt;
        Evaluate(now, actions);
    }

    private void Left(MemberCore member)
    {
        if (member.Id == _start.OwnJournal)
        {
            _ownIsKnown = false;
            _fetch?.OwnFailed();
        }
        else if (member.Id == _fetch?.Holder)
        {
            _fetch.HolderLeft();
        }
    }

    // The own log is complete, and from here on nothing of it changes.
    private void Open(Position adopted, long now, List<LeaderAction> actions)
    {
        _fetch = null;
        _log.Adopt(adopted);
        _history.Keep(_log);
        Phase = LeaderPhase.Opening;
        _opening = _recovery.SetsToWrite;
        Meet(actions);
        foreach (var member in _byIndex)
        {
            Match(member, now, actions);
        }

        actions.Add(LeaderAction.Adopt(adopted, _opening));
    }

    private void Match(MemberCore member, long now, List<LeaderAction> actions) =>
        Check(member, member.Match(now, actions), actions);
}
