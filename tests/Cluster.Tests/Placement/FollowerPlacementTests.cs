using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster.Tests;

public sealed class FollowerPlacementTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 1, 1)]
    [InlineData(3, 3, 2)]
    [InlineData(4, 3, 2)]
    [InlineData(5, 5, 3)]
    [InlineData(9, 5, 3)]
    public void The_size_of_the_cluster_gives_the_number(int nodes, int followers, int quorum)
    {
        var chosen = FollowerPlacement.Choose(Nodes(nodes), "n0", [], null, null);
        Assert.Equal((followers, quorum), (chosen.Followers.Length, chosen.Quorum));
        Assert.Contains(chosen.Followers, place => place.NodeId == "n0");
        Assert.Equal(followers, chosen.Followers.Select(place => place.NodeId).Distinct().Count());
    }

    [Fact]
    public void Regions_are_spread_over_before_one_is_taken_twice()
    {
        List<NodeRecord> nodes = [Node(0, "a"), Node(1, "a"), Node(2, "b"), Node(3, "b"), Node(4, "c")];
        var chosen = FollowerPlacement.Choose(nodes, "n1", [], 3, null);
        Assert.Equal(["n1", "n2", "n4"], chosen.Followers.Select(place => place.NodeId).Order());
    }

    [Fact]
    public void Who_follows_already_stays()
    {
        var nodes = Nodes(5);
        FollowerPlace[] present = [new(nodes[3].JournalId, "n3"), new(nodes[4].JournalId, "n4")];
        var chosen = FollowerPlacement.Choose(nodes, "n0", present, 3, null);
        Assert.Equal(["n0", "n3", "n4"], chosen.Followers.Select(place => place.NodeId).Order());
    }

    [Fact]
    public void A_node_whose_journal_was_emptied_is_another_follower()
    {
        var nodes = Nodes(3);
        FollowerPlace[] present = [new(nodes[0].JournalId, "n0"), new(Guid.NewGuid(), "n1"), new(nodes[2].JournalId, "n2")];
        var chosen = FollowerPlacement.Choose(nodes, "n0", present, null, null);
        Assert.Contains(new FollowerPlace(nodes[1].JournalId, "n1"), chosen.Followers);
        Assert.DoesNotContain(present[1], chosen.Followers);
    }

    [Theory]
    [InlineData(2, null)]
    [InlineData(4, null)]
    [InlineData(0, null)]
    [InlineData(3, 1)]
    [InlineData(3, 4)]
    [InlineData(null, 6)]
    public void What_no_cluster_can_do_is_refused(int? followers, int? quorum) =>
        Assert.Equal(ErrorCodes.InvalidRequest, Assert.Throws<RequestException>(() => FollowerPlacement.Check(followers, quorum)).Error.Code);

    [Fact]
    public void More_followers_than_nodes_are_refused_with_what_to_do()
    {
        var refused = Assert.Throws<RequestException>(() => FollowerPlacement.Choose(Nodes(3), "n0", [], 5, null));
        Assert.Contains("start more nodes", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_region_gets_so_many_that_its_loss_takes_the_quorum_and_near_ones_come_first()
    {
        List<NodeRecord> nodes = [Node(0, "a", "a1"), Node(1, "a", "a2"), Node(2, "a", "a3"), Node(3, "b"), Node(4, "b"), Node(5, "c"), Node(6, "d")];
        var far = new Dictionary<string, int> { ["a"] = 1, ["b"] = 80, ["c"] = 20, ["d"] = 150 };
        TimeSpan? Distance(NodeRecord node) => TimeSpan.FromMilliseconds(far[node.Region]);
        Assert.Equal(["n0", "n3", "n5"], Ids(FollowerPlacement.Choose(nodes, "n0", [], 3, null, Distance)));
        Assert.Equal(["n0", "n1", "n3", "n5", "n6"], Ids(FollowerPlacement.Choose(nodes, "n0", [], 5, null, Distance)));
    }

    [Fact]
    public void Zones_are_spread_over_where_there_is_one_region()
    {
        List<NodeRecord> nodes = [Node(0, "a", "a1"), Node(1, "a", "a1"), Node(2, "a", "a2"), Node(3, "a", "a2"), Node(4, "a", "a3")];
        Assert.Equal(["n1", "n2", "n4"], Ids(FollowerPlacement.Choose(nodes, "n1", [], 3, null)));
    }

    [Fact]
    public void Without_the_role_a_node_is_not_chosen_and_does_not_stay()
    {
        List<NodeRecord> nodes = [Node(0, "a"), Node(1, "b") with { Roles = NodeRoles.Router | NodeRoles.Replica }, Node(2, "c"), Node(3, "d")];
        Assert.Equal(["n0", "n2", "n3"], Ids(FollowerPlacement.Choose(nodes, "n0", [], null, null)));
        var record = new DatabaseRecord
        {
            Id = new DatabaseId(Guid.NewGuid()), Name = "d", CreatedAt = default, PrimaryRegion = "a", PrimaryNode = "n0", Quorum = 2,
            Followers = [.. nodes.Take(3).Select(node => new FollowerPlace(node.JournalId, node.Id))],
        };
        var changed = FollowerPlacement.Change(nodes, "n0", record);
        Assert.Equal(new[] { nodes[0].JournalId, nodes[2].JournalId, nodes[3].JournalId }.Order(), changed!.Members.Order());
    }

    private static IEnumerable<string> Ids((System.Collections.Immutable.ImmutableArray<FollowerPlace> Followers, int Quorum) chosen) =>
        chosen.Followers.Select(place => place.NodeId).Order();

    private static List<NodeRecord> Nodes(int count) => [.. Enumerable.Range(0, count).Select(i => Node(i, $"r{i}"))];

    private static NodeRecord Node(int number, string region, string zone = "") =>
        new($"n{number}", region, new Uri("http://127.0.0.1:1"), new Uri("http://127.0.0.1:2"), new Guid(number + 1, 0, 0, new byte[8])) { Zone = zone };
}
