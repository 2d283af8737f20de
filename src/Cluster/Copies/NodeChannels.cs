using System.Collections.Concurrent;
using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite.Cluster;

/// <summary>This node's channels to the others: one set for queries, one for shipping, so that a large result never queues in front of a confirmation.</summary>
/// <remarks>Safe for use by any thread. Bounded by the number of nodes.</remarks>
public sealed class NodeChannels : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Uri, GrpcChannel> _queries = new();
    private readonly ConcurrentDictionary<Uri, GrpcChannel> _shipping = new();
    private readonly GrpcChannelOptions _options;

    /// <param name="time">For deadlines.</param>
    public NodeChannels(TimeProvider time) => _options = new GrpcChannelOptions { TimeProvider = time, ConnectTimeout = TimeSpan.FromSeconds(2) };

    /// <summary>For forwarded queries and small questions.</summary>
    public GrpcChannel ForQueries(NodeRecord node) => Get(_queries, node.GrpcAddress);

    /// <summary>For the log.</summary>
    public GrpcChannel ForShipping(NodeRecord node) => Get(_shipping, node.GrpcAddress);

    /// <summary>Closes all of them.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var channel in _queries.Values.Concat(_shipping.Values))
        {
            await channel.DisposeAsync();
        }
    }

    private GrpcChannel Get(ConcurrentDictionary<Uri, GrpcChannel> channels, Uri address) =>
        channels.GetOrAdd(address, static (key, options) => new GrpcChannel(key, options), _options);
}
