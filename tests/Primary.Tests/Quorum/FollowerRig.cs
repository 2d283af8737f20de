using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>A node: a real follower with a disk in memory, which may be slow.</summary>
internal sealed class FollowerRig(QuorumRig rig, int number)
{
    private readonly Queue<(long Ticket, Action Write)> _disk = new();
    private readonly Dictionary<int, LeaderRig> _streams = [];
    private FollowerNote? _note;
    private FollowerCore? _core;

    public int Number => number;

    public Guid Journal { get; private set; } = JournalOf(number);

    public MemoryLog Log { get; private set; } = new();

    public FollowerCore Core => _core ??= new FollowerCore(Journal, new(Log.Last, Log.First, _note), Log, FollowerTimes.Default, rig.Now);

    /// <summary>No message reaches it or leaves it, and no stream opens.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Writes wait.</summary>
    public bool HoldsDisk { get; set; }

    public long? WakeAt => IsCut ? null : Core.WakeAt;

    public static Guid JournalOf(int number) => new(number, 7, 7, 1, 2, 3, 4, 5, 6, 7, 8);

    public void Open(int stream, LeaderRig leader)
    {
        _streams.Add(stream, leader);
        Core.Opened(stream, leader.Promise.Activation, rig.Now);
    }

    public void Close(int stream)
    {
        if (_streams.Remove(stream))
        {
            Core.Closed(stream, released: false, rig.Now);
        }
    }

    public void Receive(int stream, LeaderMessage message)
    {
        if (_streams.ContainsKey(stream))
        {
            Do(actions => Core.Receive(stream, message, rig.Now, actions));
        }
    }

    public void Pass() => Do(actions => Core.Pass(rig.Now, actions));

    /// <summary>Writes what waits; all of it in order.</summary>
    public bool Flush(int most = int.MaxValue)
    {
        long ticket = 0;
        while (!HoldsDisk && most-- > 0 && _disk.TryDequeue(out var write))
        {
            write.Write();
            ticket = write.Ticket;
        }

        if (ticket == 0)
        {
            return false;
        }

        Do(actions => Core.Written(ticket, rig.Now, actions));
        return true;
    }

    /// <summary>Takes it off the network.</summary>
    public void Cut()
    {
        IsCut = true;
        DropStreams();
    }

    public void Heal() => IsCut = false;

    /// <summary>The process is killed; what was not written is lost.</summary>
    public void Restart()
    {
        _disk.Clear();
        DropStreams();
        _streams.Clear();
        _core = null;
    }

    /// <summary>The process is killed and the disk lost; the node comes back with another journal.</summary>
    public void Empty()
    {
        Restart();
        (Log, _note, Journal) = (new(), null, JournalOf(number + 100));
    }

    private void DropStreams()
    {
        foreach (var (stream, leader) in _streams.ToList())
        {
            leader.StreamClosed(stream);
            Close(stream);
        }
    }

    private void Do(Action<List<FollowerAction>> act)
    {
        var actions = new List<FollowerAction>();
        act(actions);
        foreach (var action in actions)
        {
            switch (action)
            {
                case FollowerAction.Reply reply:
                    rig.Send(_streams[reply.Stream], reply.Stream, reply.Message);
                    break;
                case FollowerAction.WriteEntry write:
                    _disk.Enqueue((write.Ticket, () => Log.Append(write.Entry)));
                    break;
                case FollowerAction.WriteCut write:
                    _disk.Enqueue((write.Ticket, () => Log.CutTo(write.End)));
                    break;
                case FollowerAction.WriteNote write:
                    _disk.Enqueue((write.Ticket, () => _note = FollowerNote.Decode(write.Note.Encode())));
                    break;
                case FollowerAction.WriteBase write:
                    _disk.Enqueue((write.Ticket, () => Log.TrimTo(write.Base)));
                    break;
                case FollowerAction.WriteStart write:
                    _disk.Enqueue((write.Ticket, () => Log.StartAt(write.Base)));
                    break;
                case FollowerAction.CloseStream close:
                    _streams[close.Stream].StreamClosed(close.Stream);
                    Close(close.Stream);
                    break;
                case FollowerAction.Diverged diverged:
                    rig.Divergences.Add($"{number}: {diverged.Reason}");
                    break;
            }
        }
    }
}
