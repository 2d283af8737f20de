using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Primary;

namespace ReplicatedSqlite.Simulation;

// Planned moves, and letting an idle grain go.
internal sealed partial class LeaderHost
{
    private const long DrainLimit = 500_000;

    private SimulatedNode? _target;
    private Promise _next;
    private bool _isPassing;

    /// <summary>Everything is confirmed and nobody waits.</summary>
    public bool IsIdle => Leads && _gate is not null && _target is null && Core.Appended == Core.Confirmed && _waiting.Count == 0 && _proofs.Count == 0;

    /// <summary>The other node takes exactly the next epoch, once everything here is confirmed.</summary>
    public void MoveTo(SimulatedNode target)
    {
        if (_target is null && Leads)
        {
            _target = target;
            TryPass();
            _process.After(DrainLimit, GiveUpMove);
        }
    }

    // The answer of the control plane did not come: whoever reads it finds out.
    private void GiveUpMove()
    {
        if (Leads)
        {
            (_target, _isPassing) = (null, false);
            SetTurn();
        }
    }

    private void TryPass()
    {
        if (_target is not { } target || _isPassing || !Leads || Core.Appended != Core.Confirmed)
        {
            return;
        }

        _isPassing = true;
        var record = _cluster.Control.Current;
        _next = new(Promise.Epoch + 1, (ulong)World.Random.NextInt64());
        _cluster.Control.TrySwap(_node.Index, _process, Promise.Epoch, record with { Epoch = _next.Epoch, Leader = target.Index, Activation = _next.Activation }, swapped =>
        {
            if (!_isPassing)
            {
                return;
            }

            if (swapped && Leads && Core.Appended == Core.Confirmed)
            {
                Do(now => Core.HandOver(_next, now, _actions));
            }
            else
            {
                (_target, _isPassing) = (null, false);
                SetTurn();
            }
        });
    }

    private void HandedOver(IReadOnlyList<MemberPromise> promises)
    {
        var (target, hint) = (_target!, Core.Sets!.Sets.Current);
        _cluster.Network.Post(_node.Index, target.Index, target.Process, () =>
        {
            if (target.Follower is { } follower)
            {
                target.GreatestEpoch = Math.Max(target.GreatestEpoch, _next.Epoch);
                target.Lead(new(_cluster.Database, _next, target.Disk.Journal, hint, follower.Core.Sets) { OlderSets = [.. follower.Core.AllSets], Promises = [.. promises] });
            }
        });
    }
}
