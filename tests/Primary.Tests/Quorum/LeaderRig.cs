using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>A leadership on a node of the rig, with the shell that a leader needs.</summary>
internal sealed class LeaderRig
{
    private readonly QuorumRig _rig;
    private readonly Dictionary<Guid, int?> _streams = []; // wanted links, with their stream
    private readonly List<Entry> _appended = [];
    private readonly FollowerRig _node;

    public LeaderRig(QuorumRig rig, FollowerRig node, LeaderStart start, LeaderTimes times, LeaderLimits limits, LeaderRules? rules)
    {
        (_rig, _node) = (rig, node);
        Promise = start.Promise;
        Core = new(start, node.Log, times, limits, rules);
    }

    public LeaderCore Core { get; }

    public Promise Promise { get; }

    public FollowerRig Node => _node;

    public bool IsDead { get; private set; }

    /// <summary>It stands still: takes nothing, sends nothing, and its clock goes on.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Fetches are answered by hand.</summary>
    public bool HoldsFetches { get; set; }

    /// <summary>The epoch entry is written by hand.</summary>
    public bool HoldsAdopt { get; set; }

    public int MostFetched { get; set; } = 3;

    public List<LeaderAction> Said { get; } = []; // everything but what is carried out here

    public List<LeaderAction> Fetches { get; } = [];

    public LeaderLoss? Loss => Said.FirstOrDefault(action => action.Kind == LeaderActionKind.Lost).Loss;

    public Position Confirmed => Said.LastOrDefault(action => action.Kind == LeaderActionKind.Confirmed).Position;

    public long? WakeAt => IsDead || IsPaused ? null : Core.WakeAt;

    public void Start() => Do(actions => Core.Start(_rig.Now, actions));

    public Entry Append(int writes = 1)
    {
        var entry = _rig.Build(Core.Appended, Promise.Epoch, writes);
        Append(entry);
        return entry;
    }

    public void Append(Entry entry)
    {
        _appended.Add(entry);
        Do(actions => Core.Append(entry, _rig.Now, actions));
    }

    public void Ask(long token, bool keepsLease = true) => Do(actions => Core.AskProof(token, _rig.Now, actions, keepsLease));

    public bool? ProofOf(long token) =>
        Said.Where(action => action.Kind == LeaderActionKind.Proof && action.Number == token).Select(action => (bool?)action.Ok).SingleOrDefault();

    public void Pass() => Do(actions => Core.Pass(_rig.Now, actions));

    public void Receive(int stream, FollowerMessage message)
    {
        if (!IsDead && _streams.FirstOrDefault(link => link.Value == stream).Key is var member && member != Guid.Empty)
        {
            Do(actions => Core.Receive(member, message, _rig.Now, actions));
        }
    }

    public void StreamClosed(int stream)
    {
        if (_streams.FirstOrDefault(link => link.Value == stream).Key is var member && member != Guid.Empty)
        {
            _streams[member] = null;
            if (!IsDead)
            {
                Do(actions => Core.Disconnected(member, _rig.Now, actions));
            }
        }
    }

    /// <summary>Opens the streams that are wanted and can be.</summary>
    public bool Connect()
    {
        var opened = false;
        foreach (var member in _streams.Where(link => link.Value is null).Select(link => link.Key).ToList())
        {
            if (!IsDead && !IsPaused && _rig.Find(member) is { IsCut: false } follower && (!_node.IsCut || follower == _node) && _rig.CanReach(this, follower))
            {
                var stream = _rig.NextStream();
                _streams[member] = stream;
                follower.Open(stream, this);
                opened = true;
                Do(actions => Core.Connected(member, _rig.Now, actions));
            }
        }

        return opened;
    }

    /// <summary>Ends one stream from the leader's side.</summary>
    public void Disconnect(FollowerRig follower)
    {
        if (_streams.TryGetValue(follower.Journal, out var stream) && stream is { } open)
        {
            follower.Close(open);
            StreamClosed(open);
        }
    }

    /// <summary>The process is killed.</summary>
    public void Kill()
    {
        IsDead = true;
        foreach (var (member, stream) in _streams)
        {
            if (stream is { } open)
            {
                _rig.Find(member)?.Close(open);
            }
        }

        _streams.Clear();
    }

    public void Do(Action<List<LeaderAction>> act)
    {
        var actions = new List<LeaderAction>();
        act(actions);
        foreach (var action in actions)
        {
            CarryOut(action);
        }
    }

    public void AnswerFetch(LeaderAction fetch)
    {
        var holder = _rig.Find(fetch.Member);
        var entries = holder is { IsCut: false } && holder.Core.MayRead(Promise) ? holder.Log.Read(fetch.Position, MostFetched) : [];
        if (entries.IsEmpty)
        {
            Do(actions => Core.FetchFailed(fetch.Member, _rig.Now, actions));
        }
        else
        {
            Do(actions => Core.Fetched(fetch.Member, fetch.Position, [.. entries.Where(entry => entry.End <= fetch.To)], _rig.Now, actions));
        }
    }

    public void OpenEpoch(LeaderAction adopt) => Append(_rig.BuildEpoch(adopt.Position, Promise.Epoch, adopt.Sets!));

    private void CarryOut(LeaderAction action)
    {
        switch (action.Kind)
        {
            case LeaderActionKind.Connect:
                _streams.TryAdd(action.Member, null);
                break;
            case LeaderActionKind.Reconnect:
                Said.Add(action);
                if (_rig.Find(action.Member) is { } stuck)
                {
                    Disconnect(stuck);
                }

                break;
            case LeaderActionKind.Release:
                Said.Add(action);
                if (_streams.Remove(action.Member, out var released) && released is { } stream)
                {
                    _rig.SendClose(action.Member, stream);
                }

                break;
            case LeaderActionKind.Send when _streams.GetValueOrDefault(action.Member) is { } to:
                _rig.Send(action.Member, to, action.Message!);
                break;
            case LeaderActionKind.Fetch:
                Fetches.Add(action);
                if (!HoldsFetches)
                {
                    _rig.Later(() => AnswerFetch(action));
                }

                break;
            case LeaderActionKind.FetchBase:
                Fetches.Add(action);
                _rig.Later(() => Do(actions => Core.BaseFetched(action.Member, action.Position, _rig.Find(action.Member)!.Core.AllSets.LastOrDefault(sets => sets.DecidedAt <= action.Position), _rig.Now, actions)));
                break;
            case LeaderActionKind.ReadLog:
                _rig.Later(() => Read(action));
                break;
            case LeaderActionKind.Adopt:
                Said.Add(action);
                if (!HoldsAdopt)
                {
                    _rig.Later(() => OpenEpoch(action));
                }

                break;
            case LeaderActionKind.Confirmed:
                Said.Add(action);
                _rig.Confirm(this, action.Position);
                break;
            case LeaderActionKind.Send:
                break; // without a stream it is dropped
            default:
                Said.Add(action);
                break;
        }
    }

    private void Read(LeaderAction action)
    {
        var at = _appended.FindIndex(entry => entry.Predecessor == action.Position);
        var entries = at >= 0 ? [.. _appended.Skip(at).Take(4)] : _node.Log.Read(action.Position, 4);
        var isTrimmed = entries.IsEmpty && !_node.Log.Holds(action.Position) && action.Position < _node.Log.First;
        if (!IsDead)
        {
            Do(actions => Core.LogRead(action.Member, action.Position, entries, isTrimmed, _rig.Now, actions));
        }
    }
}
