using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>
/// A write of epoch 1 is on the leader's disk only. A leader of epoch 2 does not hear of it, and ships its epoch entry to a replica before that is confirmed, which it never is. A leader
/// of epoch 3 adopts the write and confirms it. The replica, which knows of epoch 2, is asked for the write's bookmark.
/// </summary>
internal sealed class UnconfirmedEpochScript(Plant replicas) : Plant
{
    private bool _holdsBack;

    public static StoryResult Run(Plant replicas)
    {
        var plant = new UnconfirmedEpochScript(replicas);
        var story = new Story(seed: 1, plant, choose: _ => new() { Nodes = 4, Followers = 3, Clients = 0, HasWatchdogs = false, ShipsEarly = true });
        var nodes = story.Cluster.Nodes;
        var replica = nodes[3];
        story.Lead(nodes[0], until: leader => leader.Leads && leader.Core.HasQuorum);
        story.Reach(() => replica.Replica?.IsReady == true);
        Cut(story, nodes[0], nodes[1], nodes[2]);
        nodes[0].Write(new(number: 1_000_000, row: 0, key: -1, isInsert: false, Bookmark.Start, _ => { }));
        story.Reach(() => nodes[0].Disk.Synced.Last.Sequence == 2);
        var written = nodes[0].Disk.Synced.Last;
        plant._holdsBack = true;
        story.Lead(nodes[1], until: leader => leader.Core.Phase == LeaderPhase.Opening);
        story.Reach(() => replica.Replica?.Received.Epoch == 2);
        plant._holdsBack = false;
        Cut(story, nodes[1], nodes[0], nodes[2], replica);
        Cut(story, replica, nodes[0], nodes[2]);
        story.Cluster.Network.Unblock(0, 2);
        story.Cluster.Network.Unblock(2, 0);
        story.Lead(nodes[2], until: leader => leader.Leads && leader.Core.Adopted == written);
        replica.Read(new(row: 0, written.ToBookmark(story.Cluster.Database), isFirstPrimary: false, _ => { }), atPrimary: false);
        return story.Finish();
    }

    public override IEnumerable<LeaderMessage> ToFollower(FollowerHost follower, LeaderLink link, LeaderMessage message) =>
        _holdsBack && !link.IsOwn && message is Append { Entries.IsEmpty: false } ? [] : [message];

    public override bool CallsAbandoned(EpochTable received, Bookmark bookmark) => replicas.CallsAbandoned(received, bookmark);

    private static void Cut(Story story, SimulatedNode node, params IEnumerable<SimulatedNode> others)
    {
        foreach (var other in others)
        {
            story.Cluster.Network.Block(node.Index, other.Index);
            story.Cluster.Network.Block(other.Index, node.Index);
        }
    }
}
