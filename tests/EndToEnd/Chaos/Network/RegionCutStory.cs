using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A region that is cut off from all others and from etcd: it reads what it has, refuses in words what it cannot do, and comes back by itself. First a replica's, then the primary's.</summary>
internal static class RegionCutStory
{
    private const string Name = "d";
    private const string Count = "SELECT count(*) FROM t";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly QueryOptions _short = new() { CallTimeout = TimeSpan.FromSeconds(20) };

    private static readonly string[] _refusals = [ErrorCodes.NoPrimary, ErrorCodes.QuorumUnavailable, ErrorCodes.CopyStale];

    /// <summary>Tells it, and throws where it goes wrong.</summary>
    public static async Task TellAsync(ProcessNetwork network, Action<string> say)
    {
        await using var cluster = await ProcessCluster.StartAsync(network: network);
        await cluster.Nodes[0].Client.Admin.CreateDatabaseAsync(Name);
        await cluster.Database(0, Name).ScriptAsync("CREATE TABLE t (x INTEGER); INSERT INTO t VALUES (1)");
        var old = await cluster.Nodes[0].Client.Admin.GetBookmarkAsync(Name);
        for (var node = 0; node < 3; node++)
        {
            await HealsAsync(async () => (await At(cluster, node, old).ExecuteAsync(Count)).Served.Node == cluster.Nodes[node].Id, $"n{node} has a copy");
        }

        await ReplicaAsync(cluster, old, say);
        await PrimaryAsync(cluster, say);
    }

    private static async Task ReplicaAsync(ProcessCluster cluster, Bookmark old, Action<string> say)
    {
        const int Cut = 2;
        await CutAsync(cluster, Cut);
        var written = await cluster.Database(0, Name).ExecuteAsync("INSERT INTO t VALUES (2)", null, _short);
        await ReadsOnAsync(cluster, Cut, old, say);

        var late = await Assert.ThrowsAsync<BookmarkTimeoutException>(() => At(cluster, Cut, written.Bookmark).ExecuteAsync(Count, null, _short with { WaitTimeout = TimeSpan.FromMilliseconds(200), OnWaitTimeout = OnWaitTimeout.Fail }));
        say($"a session that is ahead of the cut-off replica, told to fail: {late.Code}: {late.Message}");
        await RefusesAsync("the same, told to ask the primary", () => At(cluster, Cut, written.Bookmark).ExecuteAsync(Count, null, _short with { WaitTimeout = TimeSpan.FromMilliseconds(200) }), say);
        await RefusesAsync("a first-primary read in the cut-off region", () => cluster.Database(Cut, Name).WithSession(Session.FirstPrimary).ExecuteAsync(Count, null, _short), say);
        await RefusesAsync("a write in the cut-off region", () => cluster.Database(Cut, Name).ExecuteAsync("INSERT INTO t VALUES (99)", null, _short), say);
        await RefusesAsync("a read that bounds its staleness", () => cluster.Database(Cut, Name).WithSession(Session.FirstUnconstrained).ExecuteAsync(Count, null, _short with { MaxStaleness = TimeSpan.FromMilliseconds(500) }), say);
        await ReadsOnAsync(cluster, Cut, old, say); // also after all of that

        await cluster.Network.HealAsync();
        await HealsAsync(async () => (await At(cluster, Cut, written.Bookmark).ExecuteAsync(Count, null, _short)).Served.Node == cluster.Nodes[Cut].Id, "the replica has caught up");
        await WritesAsync(cluster, Cut, 3);
        say("healed: the replica caught up, and its region writes again");
    }

    private static async Task PrimaryAsync(ProcessCluster cluster, Action<string> say)
    {
        const int Cut = 0;
        Assert.Equal(Cut, await cluster.LeaderOfAsync(Name, askedAt: 1));
        var old = await cluster.Nodes[Cut].Client.Admin.GetBookmarkAsync(Name);
        await CutAsync(cluster, Cut);
        await RefusesAsync("a write at the cut-off primary", () => cluster.Database(Cut, Name).ExecuteAsync("INSERT INTO t VALUES (99)", null, _short), say);
        await WritesAsync(cluster, 1, 4);
        say("the others have a new primary");
        await ReadsOnAsync(cluster, Cut, old, say);
        await RefusesAsync("a fresh read at the primary that was", () => cluster.Database(Cut, Name).ExecuteAsync(Count, null, _short), say);

        await cluster.Network.HealAsync();
        await WritesAsync(cluster, Cut, 5);
        var bookmark = await cluster.Nodes[1].Client.Admin.GetBookmarkAsync(Name);
        foreach (var node in cluster.Nodes)
        {
            await HealsAsync(
                async () =>
                {
                    var answer = await At(cluster, node.Number, bookmark).ExecuteAsync("SELECT count(DISTINCT x), min(x), max(iif(x < 99, x, 0)) FROM t WHERE x <> 99", null, _short);
                    return answer.Served.Node == node.Id && (answer.First.Rows[0].GetInt64(0), answer.First.Rows[0].GetInt64(1), answer.First.Rows[0].GetInt64(2)) == (5, 1, 5);
                },
                $"{node.Id} has every answered write");
        }

        say("healed: every copy has every answered write");
    }

    private static async Task CutAsync(ProcessCluster cluster, int node)
    {
        foreach (var other in Enumerable.Range(0, cluster.Nodes.Count).Where(other => other != node).Append(ProcessNetwork.Etcd))
        {
            await cluster.Network.CutAsync(node, other, oneWay: false);
        }
    }

    private static Session At(ProcessCluster cluster, int node, Bookmark bookmark) => cluster.Database(node, Name).WithSession(bookmark);

    // What needs nothing newer is answered by the region's own copy.
    private static async Task ReadsOnAsync(ProcessCluster cluster, int node, Bookmark old, Action<string> say)
    {
        foreach (var (what, session) in new[] { ("first-unconstrained", cluster.Database(node, Name).WithSession(Session.FirstUnconstrained)), ("at a bookmark that it has", At(cluster, node, old)) })
        {
            var started = TimeProvider.System.GetTimestamp();
            await EventuallyAsync(
                async () =>
                {
                    var answer = await session.ExecuteAsync(Count, null, _short);
                    return answer.Served.Node == cluster.Nodes[node].Id && answer.First.Rows[0].GetInt64(0) >= 1;
                },
                $"the cut-off region reads {what}");
            say($"the cut-off region read {what} within {TimeProvider.System.GetElapsedTime(started).TotalMilliseconds:F0} ms");
        }
    }

    // While it is not known yet that the way is cut, a write may be on it: unknown. Soon after it is refused, with nothing done.
    private static async Task RefusesAsync(string what, Func<Task> call, Action<string> say) => await EventuallyAsync(
        async () =>
        {
            var refused = await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(call);
            if (refused.Code is ErrorCodes.WriteOutcomeUnknown or "DEADLINE_EXCEEDED" or "CANCELLED")
            {
                return false;
            }

            say($"{what}: {refused.Code}: {refused.Message}");
            Assert.Contains(refused.Code, _refusals);
            Assert.True(refused.IsTransient);
            Assert.Equal(CommitState.NotCommitted, refused.CommitState);
            return true;
        },
        what);

    private static Task WritesAsync(ProcessCluster cluster, int node, int x) => HealsAsync(
        async () =>
        {
            await cluster.Database(node, Name).ExecuteAsync("INSERT INTO t VALUES (?)", [x], _short with { IdempotencyKey = $"write {x}" });
            return true;
        },
        $"write {x} is answered through n{node}");

    private static async Task EventuallyAsync(Func<Task<bool>> condition, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < _patience, $"Not within {_patience.TotalSeconds} s: {what}");
            await Task.Delay(50);
        }
    }

    // The same of what is refused until the ways are found to be open again.
    private static Task HealsAsync(Func<Task<bool>> condition, string what) => EventuallyAsync(
        async () =>
        {
            try
            {
                return await condition();
            }
            catch (ReplicatedSqliteException refused) when (refused.IsTransient)
            {
                return false;
            }
        },
        what);
}
