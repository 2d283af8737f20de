using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>
/// An entry of epoch 1 reaches one follower, and an entry of epoch 2 another; a leader of epoch 3 brings the first to a quorum. Confirmed there and then, it is
/// lost to a leader of epoch 4, which adopts the entry of epoch 2.
/// </summary>
internal sealed class OldEntriesScript(LeaderRules rules) : Plant
{
    private uint _heldBack = uint.MaxValue; // entries from this epoch on reach the leader's own follower only

    public override LeaderRules Rules => rules;

    public static StoryResult Run(LeaderRules rules)
    {
        var plant = new OldEntriesScript(rules);
        var story = new Story(seed: 1, plant, choose: _ => new() { Nodes = 3, Followers = 3, Clients = 0, HasWatchdogs = false });
        var nodes = story.Cluster.Nodes;
        story.Lead(nodes[0], until: leader => leader.Leads && leader.Core.HasQuorum);
        plant._heldBack = 1;
        nodes[0].Write(new(number: 1_000_000, row: 0, key: -1, isInsert: false, Bookmark.Start, _ => { }));
        story.Reach(() => nodes[0].Disk.Synced.Last.Sequence == 2);
        story.World.RunUntil(story.World.Now + 100_000); // what is on its way is held back too
        nodes[0].Kill(loseCache: false);
        plant._heldBack = 2;
        story.Lead(nodes[1], until: _ => nodes[1].Disk.Synced.Last.Epoch == 2);
        story.World.RunUntil(story.World.Now + 100_000);
        nodes[1].Kill(loseCache: false);
        nodes[0].Start();
        plant._heldBack = 3;
        story.Lead(nodes[0], until: _ => nodes[0].Disk.Synced.Last.Epoch == 3 && nodes[2].Disk.Synced.Last == nodes[0].Disk.Synced.Entries[^2].End);
        story.World.RunUntil(story.World.Now + 100_000);
        nodes[0].Kill(loseCache: false);
        nodes[1].Start();
        plant._heldBack = uint.MaxValue;
        story.Lead(nodes[1], until: _ => nodes[1].Disk.Synced.Last.Epoch == 4);
        return story.Finish();
    }

    public override IEnumerable<LeaderMessage> ToFollower(FollowerHost follower, LeaderLink link, LeaderMessage message)
    {
        if (message is not Append append || link.IsOwn)
        {
            return [message];
        }

        var passing = append.Entries.TakeWhile(entry => entry.End.Epoch < _heldBack).ToList();
        return passing.Count == 0 && append.Entries.Length > 0 ? [] : [append with { Entries = [.. passing] }];
    }
}
