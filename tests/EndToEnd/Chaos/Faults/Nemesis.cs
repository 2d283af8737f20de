using System.Collections.Concurrent;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Carries a schedule of faults out. Each fault ends by itself.</summary>
internal sealed class Nemesis(ProcessCluster cluster, IReadOnlyList<ChaosNode> nodes, IReadOnlyList<ChaosDatabase> databases, SmallDisk? disk, Action<string> say)
{
    private readonly ConcurrentDictionary<string, int> _done = new();
    private readonly SemaphoreSlim _etcd = new(1);
    private readonly SemaphoreSlim _network = new(1); // healing one fault must not heal another's ways

    /// <summary>How many faults of each kind there were.</summary>
    public IReadOnlyDictionary<string, int> Done => _done;

    public async Task RunAsync(IReadOnlyList<ScheduledFault> schedule)
    {
        var started = TimeProvider.System.GetTimestamp();
        var underWay = new List<Task>();
        foreach (var fault in schedule)
        {
            var wait = fault.At - TimeProvider.System.GetElapsedTime(started);
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait);
            }

            underWay.Add(DoAsync(fault));
        }

        await Task.WhenAll(underWay);
        await cluster.Network.HealAsync();
    }

    private async Task DoAsync(ScheduledFault fault)
    {
        var node = fault.Node >= 0 ? fault.Node : LeaderOf(databases[fault.Other]);
        var happened = fault.Kind switch
        {
            FaultKind.KillNode or FaultKind.CutPower or FaultKind.FreezeNode or FaultKind.StopNode => await ToProcessAsync(fault, nodes[node]),
            FaultKind.CutPowerEverywhere => await EverywhereAsync(fault),
            FaultKind.MovePrimary => await MoveAsync(fault, node),
            FaultKind.KillEtcd or FaultKind.FreezeEtcd => await ToEtcdAsync(fault),
            FaultKind.FillDisk => await FillAsync(fault),
            _ => await ToNetworkAsync(fault, node),
        };
        var name = happened ? fault.Kind.ToString() : "skipped";
        _done.AddOrUpdate(name, 1, static (_, count) => count + 1);
        say($"{fault}{(fault.Node < 0 ? $" (n{node})" : "")}{(happened ? "" : " skipped: something else was being done there")}");
    }

    private int LeaderOf(ChaosDatabase database) => database.History.Leader is { } leader ? nodes.ToList().FindIndex(node => node.Node.Id == leader) : 0;

    private static async Task<bool> ToProcessAsync(ScheduledFault fault, ChaosNode node)
    {
        if (!node.TryTake())
        {
            return false;
        }

        try
        {
            switch (fault.Kind)
            {
                case FaultKind.FreezeNode:
                    await node.Node.FreezeAsync();
                    await Task.Delay(fault.For);
                    await node.Node.ThawAsync();
                    return true;
                case FaultKind.StopNode:
                    await node.Node.Process.SendAsync("TERM");
                    await Task.Delay(fault.For);
                    await node.Node.KillAsync(); // if it is not done by now
                    break;
                default:
                    await node.Node.KillAsync();
                    if (fault.Kind == FaultKind.CutPower)
                    {
                        await node.CutPowerAsync(fault.Chance);
                    }

                    await Task.Delay(fault.For);
                    break;
            }

            node.Begin();
            return true;
        }
        finally
        {
            node.Give();
        }
    }

    private async Task<bool> EverywhereAsync(ScheduledFault fault)
    {
        var taken = nodes.Where(node => node.TryTake()).ToList();
        try
        {
            await Task.WhenAll(taken.Select(node => node.Node.KillAsync()));
            var random = new Random(fault.Chance);
            foreach (var node in taken)
            {
                await node.CutPowerAsync(random.Next());
            }

            await Task.Delay(fault.For);
            foreach (var node in taken)
            {
                node.Begin();
                await Task.Delay(random.Next(300));
            }

            return taken.Count > 0;
        }
        finally
        {
            taken.ForEach(node => node.Give());
        }
    }

    private async Task<bool> MoveAsync(ScheduledFault fault, int node)
    {
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await nodes[(node + 1) % nodes.Count].Node.Client.Admin.MovePrimaryAsync(
                new() { Database = databases[fault.Other].Name, Region = nodes[fault.Chance % nodes.Count].Node.Region }, patience.Token);
            return true;
        }
        catch (Exception refused) when (refused is ReplicatedSqliteException or OperationCanceledException)
        {
            return true; // asked for in the middle of other faults
        }
    }

    private async Task<bool> ToEtcdAsync(ScheduledFault fault)
    {
        if (!await _etcd.WaitAsync(0))
        {
            return false;
        }

        try
        {
            if (fault.Kind == FaultKind.KillEtcd)
            {
                await cluster.Etcd.KillAsync();
                await Task.Delay(fault.For * 2);
                await cluster.Etcd.StartAsync();
            }
            else
            {
                await cluster.Etcd.SignalAsync("STOP");
                await Task.Delay(fault.For * 2);
                await cluster.Etcd.SignalAsync("CONT");
            }

            return true;
        }
        finally
        {
            _etcd.Release();
        }
    }

    private async Task<bool> FillAsync(ScheduledFault fault)
    {
        var node = nodes[^1];
        if (disk is null)
        {
            return false;
        }

        node.MayEnd = true;
        await disk.FillAsync();
        await Task.Delay(fault.For);
        disk.Free();
        return true;
    }

    private async Task<bool> ToNetworkAsync(ScheduledFault fault, int node)
    {
        if (!await _network.WaitAsync(0))
        {
            return false;
        }

        try
        {
            var network = cluster.Network;
            var others = Enumerable.Range(0, nodes.Count).Where(other => other != node).ToList();
            switch (fault.Kind)
            {
                case FaultKind.CutPair or FaultKind.CutPairOneWay:
                    await network.CutAsync(node, fault.Other, oneWay: fault.Kind == FaultKind.CutPairOneWay);
                    break;
                case FaultKind.CutFromEtcd:
                    await network.CutAsync(node, ProcessNetwork.Etcd, oneWay: false);
                    break;
                case FaultKind.LosePackets:
                    await Task.WhenAll(others.Select(other => network.LosePacketsAsync(node, other, 2 + (fault.Chance % 30))));
                    break;
                case FaultKind.Isolate:
                    await Task.WhenAll(others.Append(ProcessNetwork.Etcd).Select(other => network.CutAsync(node, other, oneWay: false)));
                    break;
                default:
                    await Task.WhenAll(others.Append(ProcessNetwork.Etcd).Select(other => network.CutAsync(node, other, oneWay: true)));
                    break;
            }

            await Task.Delay(fault.For * 1.5);
            await network.HealAsync();
            return true;
        }
        finally
        {
            _network.Release();
        }
    }
}
