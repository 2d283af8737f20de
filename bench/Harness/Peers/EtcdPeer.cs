using System.Globalization;
using Google.Protobuf;
using ReplicatedSqlite.Bench.Harness.Etcd;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>etcd with three members, through gRPC: keys in place of rows.</summary>
internal sealed class EtcdPeer : Peer
{
    private static readonly GrpcMethod<PutRequest, PutResponse> _put = new("etcdserverpb.KV", "Put", MethodKind.Unary);
    private static readonly GrpcMethod<RangeRequest, RangeResponse> _range = new("etcdserverpb.KV", "Range", MethodKind.Unary);
    private static readonly GrpcMethod<TxnRequest, TxnResponse> _txn = new("etcdserverpb.KV", "Txn", MethodKind.Unary);

    private readonly PeerProcesses _processes;
    private readonly string _version;
    private readonly GrpcChannel _leader;
    private readonly GrpcChannel _follower;

    private EtcdPeer(PeerProcesses processes, string version, Uri leader, Uri follower) =>
        (_processes, _version, _leader, _follower) = (processes, version, new GrpcChannel(leader), new GrpcChannel(follower));

    public override string Name => $"etcd {_version}, gRPC";

    public override string Difference => "three members, so a put is on two disks when it is answered; keys and values in place of rows and SQL; reads of a follower are serializable, own writes there by asking for their revision until it has it";

    /// <summary>Starts three members.</summary>
    /// <exception cref="PeerMissingException">It is not installed.</exception>
    public static async Task<EtcdPeer> StartAsync(string folder)
    {
        if (!EtcdProcess.IsThere)
        {
            throw new PeerMissingException(EtcdProcess.Missing);
        }

        const int Members = 3;
        var version = (await Programs.RunAsync("etcd", ["--version"])).Split('\n')[0].Split(' ')[^1];
        var ports = FreePorts.Take(Members * 2);
        var all = string.Join(',', Enumerable.Range(0, Members).Select(i => string.Create(CultureInfo.InvariantCulture, $"n{i}=http://127.0.0.1:{ports[(i * 2) + 1]}")));
        var processes = new PeerProcesses(folder);
        try
        {
            for (var i = 0; i < Members; i++)
            {
                var (client, peer) = (string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{ports[i * 2]}"), string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{ports[(i * 2) + 1]}"));
                processes.Begin(
                    "etcd", "--name", string.Create(CultureInfo.InvariantCulture, $"n{i}"), "--data-dir", Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"n{i}")), "--listen-client-urls", client,
                    "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", all, "--log-level", "error");
            }

            var (leader, follower) = await FindLeaderAsync(processes, [.. Enumerable.Range(0, Members).Select(i => ports[i * 2])]);
            return new EtcdPeer(processes, version, leader, follower);
        }
        catch
        {
            await processes.DisposeAsync();
            throw;
        }
    }

    public override Task<PeerConnection> ConnectAsync(int caller) => Task.FromResult<PeerConnection>(new Connection(_leader, _follower, caller));

    public override async Task<long> CountAsync() =>
        (await _follower.CallAsync(_range, new RangeRequest { Key = ByteString.CopyFrom(0), RangeEnd = ByteString.CopyFrom(0), CountOnly = true })).Count;

    public override async ValueTask DisposeAsync()
    {
        await _leader.DisposeAsync();
        await _follower.DisposeAsync();
        await _processes.DisposeAsync();
    }

    private static async Task<(Uri Leader, Uri Follower)> FindLeaderAsync(PeerProcesses processes, int[] ports)
    {
        using var http = new HttpClient();
        var found = -1;
        await processes.UntilAsync(
            async () =>
            {
                for (var i = 0; i < ports.Length && found < 0; i++)
                {
                    var metrics = await http.GetStringAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{ports[i]}/metrics")));
                    found = metrics.Contains("\netcd_server_is_leader 1\n", StringComparison.Ordinal) ? i : -1;
                }

                return found >= 0;
            },
            "etcd's members have a leader");
        Uri Of(int member) => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{ports[member]}"));
        return (Of(found), Of((found + 1) % ports.Length));
    }

    private sealed class Connection(GrpcChannel leader, GrpcChannel follower, int caller) : PeerConnection
    {
        private long _next;
        private long _revision;

        public override async Task<long> InsertAsync(string value)
        {
            var id = NextId();
            _revision = (await leader.CallAsync(_put, new PutRequest { Key = KeyOf(id), Value = ByteString.CopyFromUtf8(value) })).Header.Revision;
            return id;
        }

        public override async Task InsertAsync(string value, int rows)
        {
            var request = new TxnRequest();
            for (var i = 0; i < rows; i++)
            {
                request.Success.Add(new RequestOp { RequestPut = new PutRequest { Key = KeyOf(NextId()), Value = ByteString.CopyFromUtf8(value) } });
            }

            await leader.CallAsync(_txn, request);
        }

        public override Task<string?> ReadAsync(long id) => ReadAsync(id, 0);

        public override async Task<string?> ReadOwnAsync(long id)
        {
            while (true)
            {
                try
                {
                    return await ReadAsync(id, _revision);
                }
                catch (RpcException e) when (e.Message.Contains("future revision", StringComparison.Ordinal))
                {
                    // asked again at once: there is no wait for a revision
                }
            }
        }

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private async Task<string?> ReadAsync(long id, long revision)
        {
            var found = await follower.CallAsync(_range, new RangeRequest { Key = KeyOf(id), Revision = revision, Serializable = true });
            return found.Kvs.Count == 0 ? null : found.Kvs[0].Value.ToStringUtf8();
        }

        private long NextId() => ((long)caller << 40) | ++_next;

        private static ByteString KeyOf(long id) => ByteString.CopyFromUtf8(id.ToString("x16", CultureInfo.InvariantCulture));
    }
}
