using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>What came of a story.</summary>
internal sealed record StoryResult(int Seed, IReadOnlyList<Finding> Findings, long Events, ulong Trace, History History);

/// <summary>One seed: a cluster, clients and faults, then healing, then the checkers' word.</summary>
internal sealed class Story
{
    private readonly StoryPlan _plan;
    private readonly List<ClientSession> _clients = [];
    private readonly ClientNumbers _numbers;
    private readonly int _seed;

    public Story(int seed, Plant? plant = null, Action<string>? log = null, Func<World, StoryPlan>? choose = null)
    {
        _seed = seed;
        World = new(seed) { Log = log };
        _plan = (choose ?? StoryPlan.Choose)(World);
        Cluster = new(World, _plan, plant ?? new Plant());
        Nemesis = new(Cluster, _plan);
        _numbers = new ClientNumbers { WriteShare = _plan.WriteShare, MostThinking = _plan.MostThinking, MostTurns = _plan.MostTurns, FirstPrimaryShare = _plan.FirstPrimaryShare };
        for (var client = 0; client < _plan.Clients; client++)
        {
            _clients.Add(new(Cluster, _numbers));
        }
    }

    public Cluster Cluster { get; }

    public World World { get; }

    public Nemesis Nemesis { get; }

    private LeaderHost? Leader => Cluster.Nodes.Select(node => node.Leader).Where(leader => leader?.Leads == true).MaxBy(leader => leader!.Promise.Epoch);

    public static StoryResult Run(int seed, Plant? plant = null, Action<string>? log = null) => new Story(seed, plant, log).Run();

    public StoryResult Run()
    {
        try
        {
            World.RunUntil(_plan.Length);
            return Finish();
        }
        catch (Exception thrown) when (thrown is not OutOfMemoryException)
        {
            // A core, a journal or the simulation met something that it holds impossible. The checkers may still say why.
            Cluster.History.Healing = Healing.NotReached;
            var findings = AllCheckers.Check(Cluster.History).Where(finding => finding.Checker != nameof(WritesGoOnAfterHealing));
            return new(_seed, [.. findings, new(Finding.Thrown, thrown.ToString())], World.Events, World.Trace, Cluster.History);
        }
    }

    /// <summary>Everything works again; clients go on until one write is answered, then the copies have to come to the same.</summary>
    public StoryResult Finish()
    {
        var healed = World.Now;
        World.Log?.Invoke($"{World.Now} healed");
        Cluster.IsHealing = true;
        if (!_plan.HasWatchdogs)
        {
            _clients.Add(new(Cluster, _numbers));
            foreach (var node in Cluster.Nodes)
            {
                node.Watchdog?.Begin();
            }
        }

        Nemesis.Stop();
        World.After(500_000, ReplaceGone);
        var history = Cluster.History;
        var before = history.Writes.Count;
        var wrote = World.RunUntil(
            () => !SetChanges.LacksMember(Cluster) && history.Writes.Skip(before).Any(write => write.Outcome == Outcome.Answered),
            healed + WritesGoOnAfterHealing.WriteBound + 1);
        var wroteAt = wrote ? World.Now : -1;
        _clients.ForEach(client => client.Stop());
        var converged = wrote && World.RunUntil(HaveConverged, healed + WritesGoOnAfterHealing.ConvergeBound + 1);
        history.Healing = new(healed, wroteAt, converged ? World.Now : -1, converged ? "" : State());
        NoteFinals();
        World.Note((ulong)World.Events);
        return new(_seed, AllCheckers.Check(history), World.Events, World.Trace, history);
    }

    /// <summary>For scripts: a node takes over, and the story runs on until something holds.</summary>
    public void Lead(SimulatedNode node, Func<LeaderHost, bool> until)
    {
        node.Watchdog!.TakeOver(Cluster.Control.Current);
        Reach(() => node.Leader is { } leader && until(leader));
    }

    /// <summary>For scripts: the story runs on until something holds.</summary>
    public void Reach(Func<bool> holds)
    {
        if (!World.RunUntil(holds, World.Now + 5_000_000))
        {
            throw new InvalidOperationException($"The script should have come further in 5 s: {State()}.");
        }
    }

    private void ReplaceGone()
    {
        if (SetChanges.LacksMember(Cluster))
        {
            SetChanges.Any(Cluster);
        }

        Leader?.Trim(); // as the maker of bases does now and then: a follower below the leader's log waits for it
        World.After(1_500_000, ReplaceGone);
    }

    private bool HaveConverged()
    {
        if (Leader is not { } leader || leader.Core.Appended != leader.Core.Confirmed)
        {
            return false;
        }

        var end = leader.Core.Confirmed;
        return Cluster.Nodes.All(node => node.Leader == leader || (node.Replica is { IsReady: true, IsClosed: false } replica && replica.Visible == end))
            && leader.Core.Sets!.Sets.Current.Members.All(member => Cluster.HomeOf(member).Disk is var disk && disk.Journal == member && disk.Synced.Last == end);
    }

    private void NoteFinals()
    {
        var history = Cluster.History;
        if (history.Healing.Converged < 0)
        {
            return; // that is a finding already
        }

        foreach (var node in Cluster.Nodes)
        {
            if (node.Leader is { Leads: true } leader)
            {
                leader.Record();
                history.Finals.Add(new($"primary {node.Index}", leader.Confirmed, []));
            }
            else if (node.Replica is { } replica)
            {
                replica.Record();
                history.Finals.Add(new($"replica {node.Index}", replica.Visible, []));
            }
        }

        foreach (var member in Leader!.Core.Sets!.Sets.Current.Members)
        {
            var log = Cluster.HomeOf(member).Disk.Synced;
            history.Finals.Add(new($"follower {Cluster.HomeOf(member).Index}", log.Last, [.. log.Entries.Select(entry => entry.End)]));
        }
    }

    // For whoever has to find out why.
    private string State() => string.Join("; ", Cluster.Nodes.Select(node =>
        $"node {node.Index}: log {Short(node.Disk.Synced.Last)}, promised {node.Follower?.Core.Promised}, "
        + (node.Leader is { } leader ? $"{leader.Core.Phase} as {leader.Promise} at {Short(leader.Core.Confirmed)} of {Short(leader.Core.Appended)}" : $"replica at {(node.Replica is { } replica ? Short(replica.Visible) : "none")}")));

    private static string Short(Position position) => $"({position.Epoch}, {position.Sequence}, {position.Hash.Tag:x8})";
}
