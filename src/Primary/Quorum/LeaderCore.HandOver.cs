using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

// The end of a leadership by its own will.
internal sealed partial class LeaderCore
{
    private readonly List<MemberPromise> _passing = [];
    private Promise _next;
    private long _handOverUntil;

    /// <summary>Asks the followers for the promises of the leadership that comes next, and resigns. Nothing may be on its way any more.</summary>
    /// <remarks>
    /// The last entry goes before on each stream, so every promise names it. The resignation comes first: no read is proven from here on, and a
    /// Seal need not wait then.
    /// </remarks>
    /// <param name="next">Of exactly the next epoch: one that came in between could have confirmed something.</param>
    /// <param name="now">When.</param>
    /// <param name="actions">Receives what to send.</param>
    public void HandOver(Promise next, long now, List<LeaderAction> actions)
    {
        _now = now;
        if (Phase != LeaderPhase.Leading || Appended != Confirmed)
        {
            throw new InvalidOperationException($"A leadership can be passed on when it leads and everything is confirmed; it is {Phase}, at {Appended}, confirmed to {Confirmed}.");
        }

        if (next.Epoch != Promise.Epoch + 1)
        {
            throw new ArgumentException($"Epoch {next.Epoch} was found; the one right after {Promise.Epoch} was wanted.", nameof(next));
        }

        Leave(LeaderPhase.HandingOver, actions);
        (_next, _handOverUntil) = (next, now + _times.ProofWithin);
        SendAll(new Seal(next), actions);
    }

    /// <summary>Gives the leadership up, so that another one need not wait for what this one was promised.</summary>
    public void Resign(long now, List<LeaderAction> actions)
    {
        _now = now;
        if (!IsOver)
        {
            Leave(Phase, actions);
            Lose(LossReason.HandedOver, null, "it resigned", actions);
        }
    }

    private void Leave(LeaderPhase phase, List<LeaderAction> actions)
    {
        Phase = phase;
        _lease.Close(actions);
        SendAll(new Resign(Promise), actions);
    }

    private void SendAll(LeaderMessage message, List<LeaderAction> actions)
    {
        foreach (var member in _byIndex)
        {
            if (member.IsReady)
            {
                actions.Add(LeaderAction.Send(member.Id, message));
            }
        }
    }

    private void TakeHandOver(Guid member, FollowerMessage message, List<LeaderAction> actions)
    {
        if (message is Refused refused && refused.Instead != _next)
        {
            if (refused.Instead.Refuses(Promise))
            {
                Lose(LossReason.Superseded, refused.Instead, $"follower {member} promised epoch {refused.Instead.Epoch} meanwhile", actions);
            }
        }
        else if (message is Promised answer && answer.Promise == _next && !_passing.Exists(passed => passed.Member == member))
        {
            _passing.Add(new(member, answer));
            var set = _sets!.Sets.Current;
            if (_passing.Count(passed => set.Contains(passed.Member)) >= _rules.PromisesNeeded(set))
            {
                actions.Add(LeaderAction.HandedOver([.. _passing]));
                Lose(LossReason.HandedOver, _next, $"it was passed on to epoch {_next.Epoch}", actions);
            }
        }
    }
}
