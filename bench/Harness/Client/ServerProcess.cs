using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>This program once more, as the process that is called, or as several of them. Its folder goes with it.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly List<ServerProcess> _others = []; // nodes that are processes of their own
    private Stack<IAsyncDisposable> _ground = []; // what they stand on
    private string _root;
    private ProcessUsage _lastUsage = new(0, 0, 0);
    private bool _isGone;

    private ServerProcess(Process process, string folder, Network network)
    {
        _process = process;
        Folder = _root = folder;
        Network = network;
    }

    /// <summary>A folder on the disk that the servers use.</summary>
    public string Folder { get; }

    /// <summary>From where the first process is called, at no distance.</summary>
    public Network Network { get; }

    /// <summary>Where the servers listen; the nodes of all processes.</summary>
    public ServerReady Ready { get; private set; } = null!;

    /// <summary>This one, then the others.</summary>
    public IReadOnlyList<ServerProcess> All => [this, .. _others];

    /// <summary>Starts the echo servers, and a cluster in the same process if there are regions.</summary>
    public static Task<ServerProcess> StartAsync(IReadOnlyList<string> regions, CancellationToken cancellationToken) =>
        StartAsync(Directory.CreateTempSubdirectory("rs-bench-").FullName, regions, keepsLog: false, cancellationToken);

    /// <summary>The same with a folder that may hold a cluster's data already.</summary>
    /// <param name="folder">It goes with the process.</param>
    /// <param name="regions">Of the cluster.</param>
    /// <param name="keepsLog">Primaries make no checkpoint.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="snapshots">Another snapshot is due soon after the last.</param>
    public static Task<ServerProcess> StartAsync(string folder, IReadOnlyList<string> regions, bool keepsLog, CancellationToken cancellationToken, bool snapshots = false) => StartAsync(
        folder,
        regions.Count == 0 ? [] : ["--data", Path.Combine(folder, "data"), "--regions", string.Join(',', regions), .. keepsLog ? ["--keeps-log"] : (string[])[], .. snapshots ? ["--snapshots"] : (string[])[]],
        null,
        "",
        cancellationToken);

    /// <summary>Starts a cluster whose nodes are several processes, coordinated by etcd, perhaps in simulated regions.</summary>
    /// <param name="processes">The primary's first. Within a matrix all nodes of a process are in one region.</param>
    /// <param name="matrix">Of the simulated regions.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BenchException">There is no etcd, or the network does not come up.</exception>
    public static async Task<ServerProcess> StartApartAsync(IReadOnlyList<NodeGroup> processes, string? matrix, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("rs-bench-").FullName;
        var ground = new Stack<IAsyncDisposable>();
        var all = new List<ServerProcess>();
        try
        {
            var regions = matrix is null ? null : await Regions.UpAsync(matrix);
            if (regions is not null)
            {
                ground.Push(regions);
            }

            var etcd = await EtcdProcess.StartAsync(folder, regions, processes[0].Regions[0]);
            ground.Push(etcd);
            all.AddRange(await Task.WhenAll(processes.Select((group, i) => StartAsync(folder, i, group, etcd, regions, cancellationToken))));
            await KnowEachOtherAsync(all, processes.Sum(static process => process.Regions.Count), cancellationToken);
        }
        catch
        {
            foreach (var server in all)
            {
                await server.DisposeAsync();
            }

            await DisposeAsync(ground, folder);
            throw;
        }

        var first = all[0];
        first._root = folder;
        first._ground = ground;
        first._others.AddRange(all.Skip(1));
        first.Ready = first.Ready with { Nodes = [.. all.SelectMany(static server => server.Ready.Nodes).DistinctBy(static node => node.Region)] };
        return first;
    }

    /// <summary>From where a node is called, at no distance.</summary>
    public Network NetworkOf(ServerNode node) => All.First(server => server.OwnNodes.Contains(node)).Network;

    /// <summary>A client of a node, called from its own region.</summary>
    public ReplicatedSqliteClient ClientOf(ServerNode node) => NetworkOf(node).ClientOf(node);

    /// <summary>What all of its processes have used.</summary>
    public async Task<ProcessUsage> UsageAsync()
    {
        var (cpu, allocated, memory) = (0.0, 0L, 0L);
        foreach (var server in All)
        {
            var usage = await server.OwnUsageAsync();
            (cpu, allocated, memory) = (cpu + usage.CpuMicroseconds, allocated + usage.AllocatedBytes, memory + usage.WorkingSetBytes);
        }

        return new ProcessUsage(cpu, allocated, memory);
    }

    /// <summary>What this one process has used; of one that was killed, what it had used when it was asked last.</summary>
    public async Task<ProcessUsage> OwnUsageAsync() => _isGone ? _lastUsage : _lastUsage = await AskAsync<ProcessUsage>(ControlCommand.Usage);

    /// <summary>Whether it runs the node of a region.</summary>
    public bool Has(string region) => OwnNodes.Any(node => node.Region == region);

    public async Task ResetLagAsync()
    {
        foreach (var server in All)
        {
            await server.AskAsync<bool>(ControlCommand.ResetLag);
        }
    }

    /// <summary>Of the replicas of all processes.</summary>
    public async Task<IReadOnlyList<LagSummary>> LagAsync()
    {
        var all = new List<LagSummary>();
        foreach (var server in All)
        {
            all.AddRange(await server.AskAsync<IReadOnlyList<LagSummary>>(ControlCommand.Lag));
        }

        return all;
    }

    /// <summary>Log entries that primaries have written since the start.</summary>
    public Task<long> GroupsAsync() => AskAsync<long>(ControlCommand.Groups);

    /// <summary>Stops a node of this process, or starts it again where it was.</summary>
    public Task SwitchNodeAsync(int node, bool on) => AskAsync<bool>($"{(on ? ControlCommand.StartNode : ControlCommand.StopNode)} {node}");

    /// <summary>Copies that were built from a snapshot since the start.</summary>
    public Task<long> SnapshotsAsync() => AskAsync<long>(ControlCommand.Snapshots);

    /// <summary>As a crash does it. The folder stays.</summary>
    public async Task KillAsync()
    {
        _isGone = true;
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Stops it cleanly, or by force when that takes too long.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(All.Select(static server => server.StopAsync()));
        await DisposeAsync(_ground, _root);
    }

    private IReadOnlyList<ServerNode> OwnNodes { get; set; } = [];

    private static async Task DisposeAsync(Stack<IAsyncDisposable> ground, string folder)
    {
        foreach (var part in ground)
        {
            await part.DisposeAsync();
        }

        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<ServerProcess> StartAsync(string folder, string[] arguments, Regions? regions, string region, CancellationToken cancellationToken)
    {
        string[] command = ["dotnet", typeof(ServerProcess).Assembly.Location, "server", .. arguments];
        var (program, rest) = regions?.Exec(region, command) ?? (command[0], command[1..]);
        var process = Process.Start(new ProcessStartInfo(program, rest) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var server = new ServerProcess(process, folder, regions?.NetworkOf(region) ?? Network.Own);
        try
        {
            server.Ready = await server.ReadAsync<ServerReady>(cancellationToken);
            server.OwnNodes = server.Ready.Nodes;
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private static Task<ServerProcess> StartAsync(string folder, int number, NodeGroup group, EtcdProcess etcd, Regions? regions, CancellationToken cancellationToken)
    {
        var own = Directory.CreateDirectory(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"p{number}"))).FullName;
        List<string> arguments = ["--data", own, "--regions", string.Join(',', group.Regions), "--etcd", etcd.Endpoint.ToString()];
        if (group.ReplicasOnly)
        {
            arguments.Add("--replicas-only");
        }

        if (regions is not null)
        {
            arguments.AddRange(["--advertise", regions.AddressOf(group.Regions[0])]);
        }

        return StartAsync(own, [.. arguments], regions, group.Regions[0], cancellationToken);
    }

    private static async Task KnowEachOtherAsync(List<ServerProcess> all, int nodes, CancellationToken cancellationToken)
    {
        foreach (var server in all)
        {
            foreach (var node in server.OwnNodes)
            {
                await using var client = server.Network.ClientOf(node);
                await Programs.UntilAsync(async () => (await client.Admin.GetTopologyAsync(cancellationToken: cancellationToken)).Nodes.Count == nodes, $"the node in {node.Region} knows all {nodes}");
            }
        }
    }

    private async Task StopAsync()
    {
        if (!_isGone)
        {
            _isGone = true;
            _process.StandardInput.Close();
            using var patience = new CancellationTokenSource(_patience);
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
            }
        }

        _process.Dispose();
        _turn.Dispose();
    }

    private async Task<T> AskAsync<T>(string command)
    {
        await _turn.WaitAsync();
        try
        {
            await _process.StandardInput.WriteLineAsync(command);
            await _process.StandardInput.FlushAsync();
            return await ReadAsync<T>(CancellationToken.None);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<T> ReadAsync<T>(CancellationToken cancellationToken)
    {
        var line = await _process.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(_patience, cancellationToken);
        return line is null
            ? throw new BenchException("The server process ended before it answered; what it wrote to standard error says why.")
            : JsonSerializer.Deserialize<T>(line)!;
    }
}
