using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>A node: what outlives its process (disk, main file, clock), and the process with its roles.</summary>
internal sealed class SimulatedNode
{
    private readonly Cluster _cluster;
    private KeptLeadership? _kept; // of a grain that left memory; dies with the process

    public SimulatedNode(Cluster cluster, int index)
    {
        (_cluster, Index) = (cluster, index);
        Clock = new(cluster.World, 0.91 + (0.18 * cluster.World.Random.NextDouble()), cluster.World.Between(0, 1_000_000_000));
        Process = new(cluster.World);
        Disk = NewDisk();
        Disk.SyncTime = cluster.Plan.SyncTime;
    }

    public int Index { get; }

    public NodeClock Clock { get; }

    public SimulatedDisk Disk { get; private set; }

    public CopyFile File { get; private set; } = new();

    public SimulatedProcess Process { get; private set; }

    /// <summary>The greatest epoch that was heard of; kept in the node's folder.</summary>
    public uint GreatestEpoch { get; set; }

    /// <summary>What a writer would patch against if it kept its images from one leadership to the next.</summary>
    public WriterImages Images { get; private set; } = new();

    public FollowerHost? Follower { get; private set; }

    public LeaderHost? Leader { get; private set; }

    public ReplicaHost? Replica { get; private set; }

    public Watchdog? Watchdog { get; private set; }

    public void Start()
    {
        Process = new(_cluster.World);
        Images = new();
        _kept = null;
        Follower = new(_cluster, this);
        Watchdog = new(_cluster, this);
        StartReplica();
    }

    /// <param name="loseCache">The power fails; else only the process dies.</param>
    public void Kill(bool loseCache)
    {
        if (!Process.IsAlive)
        {
            return;
        }

        (Follower, Leader, Replica, Watchdog, _kept) = (null, null, null, null, null);
        Process.Kill(isHeard: !loseCache);
        if (loseCache)
        {
            Disk.Tear();
        }
        else
        {
            Disk.Abandon();
        }
    }

    /// <summary>The disk is replaced by an empty one. The process must be dead.</summary>
    public void Empty()
    {
        Disk.Abandon();
        Disk = NewDisk();
        Disk.SyncTime = _cluster.Plan.SyncTime;
        File = new();
    }

    public void StartReplica()
    {
        if (Process.IsAlive && Leader is null && Replica is null or { IsClosed: true })
        {
            Replica = new(_cluster, this);
        }
    }

    public void Lead(LeaderStart start)
    {
        _kept = null;
        if (Follower is not { IsOpen: true })
        {
            return;
        }

        Leader?.Close("another leadership begins here");
        Leader = new LeaderHost(_cluster, this, start);
        Leader.Begin();
    }

    /// <summary>A copy has one role; a change of role ends the other role's readers first.</summary>
    public void EndReplica()
    {
        Replica?.Close();
        Replica = null;
    }

    public void Ended(LeaderHost leader)
    {
        if (Leader == leader)
        {
            Leader = null;
            Process.After(1_000, StartReplica);
        }
    }

    /// <summary>Lets an idle grain leave memory.</summary>
    public void Release(bool remembers)
    {
        if (Leader is { IsIdle: true } leader)
        {
            _kept = remembers ? new(leader.Promise, leader.Core.Confirmed) : null;
            leader.Close("idle", released: true);
        }
    }

    /// <summary>A planned move: the other node takes exactly the next epoch.</summary>
    public void Move(SimulatedNode target)
    {
        if (Leader is { Leads: true } leader && target != this && target.Watchdog is not null)
        {
            leader.MoveTo(target);
        }
    }

    /// <summary>The leadership that was let go and may come back; none if the control plane knows of another.</summary>
    public Promise? Released => _kept?.Promise;

    /// <summary>It is not to come back.</summary>
    public void Forget() => _kept = null;

    public void Write(WaitingWrite write)
    {
        Return();
        if (Leader is null)
        {
            write.Answer(new(WriteResult.TryAgain, Position.Start));
        }
        else
        {
            Leader.Write(write);
        }
    }

    public void Read(WaitingRead read, bool atPrimary)
    {
        if (atPrimary)
        {
            Return();
        }

        if (Leader is not null && (atPrimary || Replica is null))
        {
            Leader.Read(read);
        }
        else if (Replica is not null && !read.IsFirstPrimary)
        {
            Replica.Read(read);
        }
        else
        {
            read.Refuse();
        }
    }

    public void JournalFailed() => Leader?.Close("the journal failed");

    // The first request brings the grain back, with what it left.
    private void Return()
    {
        if (_kept is { } kept && Leader is null && Follower is { } follower)
        {
            Lead(new(_cluster.Database, kept.Promise, Disk.Journal, _cluster.Control.Current.Followers, follower.Core.Sets) { OlderSets = [.. follower.Core.AllSets], Resumed = kept.Confirmed });
        }
    }

    private sealed record KeptLeadership(Promise Promise, Position Confirmed);

    private SimulatedDisk NewDisk()
    {
        var disk = new SimulatedDisk(_cluster.World, _cluster.NewId());
        _cluster.NameHome(disk.Journal, this);
        disk.Seen = record =>
        {
            if (record.Kind == JournalRecordKind.Entry)
            {
                _cluster.History.OnDisk.Add(new(disk.Journal, record.Entry!.End, _cluster.World.Now));
            }
            else if (record.Note is { } note)
            {
                _cluster.History.Promises.Add(new(disk.Journal, note.Promise, _cluster.World.Now));
            }
        };
        return disk;
    }
}
