namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The peers of a run, as far as they are installed.</summary>
internal sealed class PeerSet : IAsyncDisposable
{
    private static readonly (string Name, Func<string, Task<Peer>> Start)[] _all =
    [
        ("postgres", static async folder => await PostgresPeer.StartAsync(folder)),
        ("mariadb", static async folder => await MariaDbPeer.StartAsync(folder)),
        ("etcd", static async folder => await EtcdPeer.StartAsync(folder)),
        ("miniflare", static async folder => await MiniflarePeer.StartAsync(folder)),
        ("sqlite", static folder => Task.FromResult<Peer>(new SqlitePeer(folder))),
        ("rqlite", static async folder => await RqlitePeer.StartAsync(folder)),
        ("sqld", static async folder => await SqldPeer.StartAsync(folder)),
    ];

    private readonly List<RunningPeer> _peers = [];

    /// <summary>Names for the command line.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. _all.Select(static entry => entry.Name)];

    public IReadOnlyList<RunningPeer> Peers => _peers;

    /// <summary>Starts those that were asked for; one that is not installed is left out with a word.</summary>
    public static async Task<PeerSet> StartAsync(BenchOptions options, ServerProcess server, Remarks remarks)
    {
        var set = new PeerSet();
        try
        {
            foreach (var (name, start) in _all.Where(entry => options.Peers.Contains(entry.Name)))
            {
                var folder = Directory.CreateDirectory(Path.Combine(server.Folder, $"peer-{name}")).FullName;
                try
                {
                    var peer = await start(folder);
                    remarks.Note($"{peer.Name}: {peer.Difference}");
                    remarks.HasPeers = true;
                    set._peers.Add(new RunningPeer(peer));
                }
                catch (PeerMissingException missing)
                {
                    remarks.Note($"{name} was left out: {missing.Message}");
                }
            }

            return set;
        }
        catch
        {
            await set.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in _peers)
        {
            await peer.DisposeAsync();
        }
    }
}

/// <summary>A peer is not on this machine; the text says what to install.</summary>
internal sealed class PeerMissingException(string message) : Exception(message);
