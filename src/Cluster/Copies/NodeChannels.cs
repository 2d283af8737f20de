using System.Collections.Concurrent;
using System.Net.Security;
using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite.Cluster;

/// <summary>This node's channels to the others: one set for queries, one for shipping, so that a large result never queues in front of a confirmation.</summary>
/// <remarks>Safe for use by any thread. Bounded by the number of nodes.</remarks>
public sealed class NodeChannels : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Uri, GrpcChannel> _queries = new();
    private readonly ConcurrentDictionary<Uri, GrpcChannel> _shipping = new();
    private readonly GrpcChannelOptions _forQueries;
    private readonly GrpcChannelOptions _forShipping;

    /// <param name="time">For deadlines.</param>
    /// <param name="nodeKey">Sent with every call, for the others to know that a node calls. Unset: a certificate says it.</param>
    /// <param name="tls">Asked for each connection to a node that encrypts.</param>
    /// <param name="configureQueries">Changes the connections that queries are passed on by, for example for a proxy.</param>
    public NodeChannels(TimeProvider time, string? nodeKey = null, Func<SslClientAuthenticationOptions>? tls = null, Action<SocketsHttpHandler>? configureQueries = null)
    {
        _forShipping = new GrpcChannelOptions
        {
            TimeProvider = time,
            ConnectTimeout = TimeSpan.FromSeconds(2),
            Headers = nodeKey is null ? null : new Metadata { { NodeKey.Header, nodeKey } },
            Tls = tls,
        };
        _forQueries = _forShipping with { ConfigureHandler = configureQueries };
    }

    /// <summary>For forwarded queries and small questions.</summary>
    public GrpcChannel ForQueries(NodeRecord node) => Get(_queries, node.GrpcAddress, _forQueries);

    /// <summary>For the log.</summary>
    public GrpcChannel ForShipping(NodeRecord node) => Get(_shipping, node.GrpcAddress, _forShipping);

    /// <summary>Closes all of them.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var channel in _queries.Values.Concat(_shipping.Values))
        {
            await channel.DisposeAsync();
        }
    }

    private static GrpcChannel Get(ConcurrentDictionary<Uri, GrpcChannel> channels, Uri address, GrpcChannelOptions options) =>
        channels.GetOrAdd(address, static (key, options) => new GrpcChannel(key, options), options);
}
