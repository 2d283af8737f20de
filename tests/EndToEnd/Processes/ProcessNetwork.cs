namespace ReplicatedSqlite.EndToEnd;

/// <summary>Where the processes of a <see cref="ProcessCluster"/> run, and what can be done to the ways between them.</summary>
internal abstract class ProcessNetwork : IAsyncDisposable
{
    /// <summary>This machine's loopback: nothing between nodes can be cut.</summary>
    public static ProcessNetwork Loopback { get; } = new LoopbackNetwork();

    /// <summary>The region of a node, as it is configured.</summary>
    public abstract string RegionOf(int node);

    /// <summary>Where the others find a node.</summary>
    public abstract string AddressOf(int node);

    /// <summary>What starts a node's process.</summary>
    public abstract IReadOnlyList<string> LauncherOf(int node);

    /// <summary>Where etcd listens.</summary>
    public abstract string EtcdAddress { get; }

    /// <summary>What starts etcd.</summary>
    public abstract IReadOnlyList<string> EtcdLauncher { get; }

    /// <summary>Whether ways can be cut.</summary>
    public abstract bool CanCut { get; }

    /// <summary>Number of the place where etcd runs, for <see cref="CutAsync"/>.</summary>
    public const int Etcd = -1;

    /// <summary>Nothing gets from one to the other any more.</summary>
    /// <param name="from">A node, or <see cref="Etcd"/>.</param>
    /// <param name="to">Another.</param>
    /// <param name="oneWay">The other way stays open.</param>
    public abstract Task CutAsync(int from, int to, bool oneWay);

    /// <summary>So many of a hundred packets are lost, both ways.</summary>
    public abstract Task LosePacketsAsync(int from, int to, int percent);

    /// <summary>Undoes both between two places.</summary>
    public abstract Task HealAsync(int from, int to);

    /// <summary>Undoes everything.</summary>
    public abstract Task HealAsync();

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class LoopbackNetwork : ProcessNetwork
    {
        private static readonly string[] _regions = ["enam", "weur", "apac", "wnam", "eeur", "oc"];

        public override string EtcdAddress => "127.0.0.1";

        public override IReadOnlyList<string> EtcdLauncher => [];

        public override bool CanCut => false;

        public override string RegionOf(int node) => _regions[node % _regions.Length];

        public override string AddressOf(int node) => "127.0.0.1";

        public override IReadOnlyList<string> LauncherOf(int node) => [];

        public override Task CutAsync(int from, int to, bool oneWay) => throw new InvalidOperationException("Loopback cannot be cut.");

        public override Task LosePacketsAsync(int from, int to, int percent) => throw new InvalidOperationException("Loopback loses nothing.");

        public override Task HealAsync(int from, int to) => Task.CompletedTask;

        public override Task HealAsync() => Task.CompletedTask;
    }
}
