using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>Leaderships that come, go, stand still and come back, over nodes that are cut off, restarted and slow.</summary>
public class RandomLeadershipTests
{
    [Fact]
    public void Nothing_confirmed_is_lost_no_read_is_stale_and_it_always_comes_back() =>
        Seeds.ForEach(usual: 150, full: 20_000, static seed => new Run(seed, isOrdered: true).Go());

    [Fact]
    public void Nor_when_messages_come_twice_and_out_of_order() => Seeds.ForEach(usual: 150, full: 20_000, static seed => new Run(seed, isOrdered: false).Go());

    // The rules are of use only if the test notices that one of them is broken.
    [Theory]
    [InlineData(typeof(OneLess))]
    [InlineData(typeof(Longest))]
    [InlineData(typeof(OldSet))]
    [InlineData(typeof(NewSetAlone))]
    [InlineData(typeof(FromTheAck))]
    [InlineData(typeof(RoundUnderWay))]
    [InlineData(typeof(CachedLease))]
    public void A_broken_rule_is_noticed(Type broken)
    {
        for (var seed = 1; seed < 20_000; seed++)
        {
            try
            {
                new Run(seed, isOrdered: true, (LeaderRules)Activator.CreateInstance(broken)!).Go();
            }
            catch (Exception noticed) when (noticed is Xunit.Sdk.XunitException or InvalidOperationException or ArgumentException)
            {
                return;
            }
        }

        Assert.Fail($"{broken.Name} was not noticed.");
    }

    private sealed class OneLess : LeaderRules
    {
        public override int PromisesNeeded(FollowerSet set) => Math.Max(1, set.SealQuorum - 1);
    }

    private sealed class Longest : LeaderRules
    {
        public override int Compare(Position left, Position right) => left.Sequence.CompareTo(right.Sequence);
    }

    private sealed class OldSet : LeaderRules
    {
        public override System.Collections.Immutable.ImmutableArray<FollowerSet> SetsToSeal(KnownSets? known, FollowerSet hint, bool isDecided) => [hint];
    }

    private sealed class NewSetAlone : LeaderRules
    {
        public override System.Collections.Immutable.ImmutableArray<FollowerSet> SetsToConfirm(FollowerSets sets, bool isConfirmed) => [sets.Current];
    }

    private sealed class FromTheAck : LeaderRules
    {
        public override long LeaseFrom(long sentAt, long ackedAt) => ackedAt;
    }

    private sealed class RoundUnderWay : LeaderRules
    {
        public override bool Proves(long sentAt, long lastSentAt) => sentAt >= lastSentAt;
    }

    private sealed class CachedLease : LeaderRules
    {
        private bool _had;

        public override bool HasLease(long? leaseFrom, long arrivedAt, LeaderTimes times) => (_had, _had = base.HasLease(leaseFrom, arrivedAt, times)).Item1;
    }

    private sealed class Run
    {
        private readonly Random _random;
        private readonly QuorumRig _rig = new(5);
        private readonly Dictionary<(LeaderRig, long), Position> _asked = [];
        private readonly LeaderTimes _times;
        private readonly LeaderLimits _limits = new() { WindowEntries = 8, WindowBytes = 4_000, ReadBytes = 1_000, PartBytes = 300 };
        private FollowerSet _catalogue;
        private LeaderRig? _leader;
        private uint _epoch;
        private long _token;
        private readonly bool _isOrdered;
        private readonly LeaderRules? _rules;
        private Position _greatest;

        public Run(int seed, bool isOrdered, LeaderRules? rules = null)
        {
            (_isOrdered, _rules) = (isOrdered, rules);
            _random = new Random(seed);
            _times = new() { ReadLease = _random.Next(4) != 0 };
            _catalogue = _rig.Set([.. Enumerable.Range(1, _random.Next(3) * 2 + 1)]);
        }

        public void Go()
        {
            Elect();
            for (var steps = _random.Next(50, 400); steps > 0; steps--)
            {
                Act();
                Move();
                Look();
            }

            Heal();
        }

        private void Act()
        {
            var node = _rig.Nodes[_random.Next(5)];
            switch (_random.Next(40))
            {
                case < 12 when _leader is { Core.Phase: LeaderPhase.Leading, IsDead: false, IsPaused: false } leader:
                    leader.Append(_random.Next(1, 4));
                    break;
                case < 18:
                    Ask();
                    break;
                case 18:
                    Elect();
                    break;
                case 19 when _leader is { IsPaused: false }:
                    _leader.Kill();
                    break;
                case 20 when _leader is { IsDead: false }:
                    _leader.IsPaused = true;
                    break;
                case 21:
                    foreach (var paused in _rig.Leaders.Where(leader => leader.IsPaused))
                    {
                        paused.IsPaused = false;
                    }

                    break;
                case 22 when _rig.Nodes.Count(other => other.IsCut) < 2:
                    node.Cut();
                    break;
                case < 26 when node.IsCut:
                    node.Heal();
                    break;
                case 26:
                    foreach (var leader in _rig.Leaders.Where(leader => leader.Node == node))
                    {
                        leader.Kill();
                    }

                    node.Restart();
                    break;
                case 27:
                    node.HoldsDisk = !node.HoldsDisk;
                    break;
                case 28:
                    _leader?.Disconnect(node);
                    break;
                case 29 when _leader is { Core.Phase: LeaderPhase.Leading, IsDead: false } leader && leader.Core.Confirmed is { Sequence: > 3 } confirmed:
                    leader.Do(actions => leader.Core.Trim(leader.Node.Log.FloorOf(confirmed.Epoch, confirmed.Sequence - 2), _rig.Now, actions));
                    break;
                case 30 when _leader is { Core.Phase: LeaderPhase.Leading, IsDead: false } leader && leader.Core.Appended == leader.Core.Confirmed:
                    HandOver(leader, node);
                    break;
                case < 34:
                    _rig.Advance(_random.Next(1, 400_000));
                    break;
            }
        }

        private void Elect()
        {
            // The catalogue names a new set once it is confirmed, or later.
            foreach (var leader in _rig.Leaders)
            {
                if (leader.Core is { Phase: LeaderPhase.Leading, Sets: { } sets } && _random.Next(2) == 0)
                {
                    _catalogue = sets.Sets.Current;
                }
            }

            var known = _rig.Nodes.Select(node => node.Core.Sets).Where(sets => sets is not null).MaxBy(sets => sets!.DecidedAt);
            var members = (known?.Sets.Current ?? _catalogue).Members;
            var node = _rig.Find(members[_random.Next(members.Length)])!;
            if (node.IsCut)
            {
                return;
            }

            FollowerSet? changeTo = null;
            if (_random.Next(3) == 0)
            {
                var others = Enumerable.Range(1, 5).Where(number => number != node.Number).OrderBy(_ => _random.Next()).Take(_random.Next(3) * 2);
                changeTo = _rig.Set([node.Number, .. others]);
            }

            _leader = _rig.Lead(node.Number, ++_epoch, _catalogue, changeTo, run: false, times: _times, limits: _limits, rules: _rules);
            _leader.MostFetched = _random.Next(1, 5);
        }

        private void HandOver(LeaderRig leader, FollowerRig to)
        {
            if (to.IsCut || to == leader.Node || !leader.Core.Sets!.Sets.Current.Contains(to.Journal))
            {
                return;
            }

            var next = new Promise(leader.Promise.Epoch + 1, (ulong)_random.NextInt64());
            if (next.Epoch <= _epoch)
            {
                return; // the control plane has given it away
            }

            _epoch = next.Epoch;
            leader.Do(actions => leader.Core.HandOver(next, _rig.Now, actions));
            _rig.Run();
            if (leader.Said.FirstOrDefault(action => action.Kind == LeaderActionKind.HandedOver).Promises is { } promises)
            {
                _leader = _rig.Lead(to.Number, next.Epoch, _catalogue, run: false, times: _times, limits: _limits, rules: _rules, with: start => start with { Promise = next, Promises = [.. promises] });
            }
        }

        private void Ask()
        {
            var leaders = _rig.Leaders.Where(leader => !leader.IsDead && !leader.IsPaused).ToList();
            if (leaders.Count > 0)
            {
                var leader = leaders[_random.Next(leaders.Count)];
                _asked[(leader, ++_token)] = _greatest;
                leader.Ask(_token);
            }
        }

        private void Move()
        {
            switch (_random.Next(5))
            {
                case 0:
                    _rig.Run();
                    break;
                case 1:
                    _rig.Now += _random.Next(2_000);
                    _rig.Wake();
                    break;
                default:
                    for (var moves = _random.Next(12); moves > 0; moves--)
                    {
                        _ = _random.Next(3) == 0 ? _rig.Write(_random.Next(5)) : _rig.Step(_random.Next(50), !_isOrdered && _random.Next(4) == 0, !_isOrdered && _random.Next(8) == 0);
                    }

                    foreach (var leader in _rig.Leaders)
                    {
                        leader.Connect();
                    }

                    break;
            }
        }

        private void Look()
        {
            foreach (var leader in _rig.Leaders)
            {
                _greatest = leader.Confirmed > _greatest ? leader.Confirmed : _greatest;
            }

            foreach (var ((leader, token), before) in _asked.ToList())
            {
                if (leader.ProofOf(token) is { } ok)
                {
                    _asked.Remove((leader, token));
                    Assert.True(!ok || leader.Core.Confirmed >= before, $"A read that came after {before} was confirmed was answered at {leader.Core.Confirmed} by epoch {leader.Promise.Epoch}.");
                }
            }

            Assert.Empty(_rig.Divergences);
            Assert.DoesNotContain(_rig.Leaders, static leader => leader.Said.Exists(static action => action.Kind == LeaderActionKind.Diverged));
        }

        private void Heal()
        {
            foreach (var node in _rig.Nodes)
            {
                node.Heal();
                node.HoldsDisk = false;
            }

            foreach (var leader in _rig.Leaders)
            {
                leader.IsPaused = false;
            }

            for (var attempts = 0; ; attempts++)
            {
                _rig.Advance(8_000_000);
                Look();
                if (_leader is { IsDead: false, Core.Phase: LeaderPhase.Leading })
                {
                    break;
                }

                Assert.True(attempts < 20, $"Nobody leads: the last tried and is {_leader?.Core.Phase}, {_leader?.Loss}, {string.Join(' ', _rig.Nodes.Select(node => _leader?.Core.StatusOf(node.Journal)))}.");
                if (_leader is not { IsDead: false } || _leader.Core.Phase == LeaderPhase.Lost)
                {
                    Elect();
                }
            }

            var last = _leader.Append();
            _rig.Advance(8_000_000);
            Look();
            Assert.Equal(last.End, _leader.Core.Confirmed);
            foreach (var member in _leader.Core.Sets!.Sets.Current.Members)
            {
                var node = _rig.Find(member)!;
                Assert.True(last.End == node.Log.Last, $"Node {node.Number} is at {node.Log.Last}, from {node.Log.First}, sets {node.Core.Sets}, confirmed {node.Core.Confirmed}; the leader's log goes from {_leader.Node.Log.First} to {last.End}; it takes it for {_leader.Core.StatusOf(member)}.");
                Assert.Equal(last.End, node.Core.Confirmed);
                _rig.CheckHolds(node);
            }

            Assert.DoesNotContain(_asked.Keys, static asked => !asked.Item1.IsDead);
        }
    }
}
