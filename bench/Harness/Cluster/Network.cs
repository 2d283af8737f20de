using System.Net.Sockets;
using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Where this process's sockets are made: in the machine's own network, or in a simulated region.</summary>
/// <remarks>A socket stays in the namespace of the thread that made it, so one process may call from every region and time all of it with one clock.</remarks>
internal sealed class Network
{
    private static readonly TimeSpan _retries = TimeSpan.FromSeconds(60); // a node that has just started, on a busy machine, may have no quorum yet; nothing was done then

    private readonly string? _namespaceFile;

    private Network(string? namespaceFile)
    {
        _namespaceFile = namespaceFile;
        Channel = namespaceFile is null ? new GrpcChannelOptions() : new GrpcChannelOptions { ConfigureHandler = Configure };
    }

    /// <summary>The machine's.</summary>
    public static Network Own { get; } = new(null);

    /// <summary>Of channels whose connections begin here.</summary>
    public GrpcChannelOptions Channel { get; }

    /// <param name="file">Of the network namespace.</param>
    public static Network Of(string file) => new(file);

    /// <summary>A client of a node, called from here.</summary>
    public ReplicatedSqliteClient ClientOf(ServerNode node) => new($"{node.Grpc.Host}:{node.Grpc.Port}", new ReplicatedSqliteClientOptions { Channel = Channel, RetryTimeout = _retries });

    /// <summary>Makes the handler's connections begin here.</summary>
    public void Configure(SocketsHttpHandler handler)
    {
        if (_namespaceFile is not null)
        {
            handler.ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = CreateSocket();
                try
                {
                    await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            };
        }
    }

    /// <summary>A TCP socket that sends at once.</summary>
    public Socket CreateSocket()
    {
        if (_namespaceFile is null)
        {
            return new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        }

        Socket? socket = null;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Libc.EnterNetwork(_namespaceFile); // of this thread alone, which ends here
                socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            }
            catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return socket ?? throw new BenchException($"No socket could be made in {_namespaceFile}: {failure?.Message}");
    }
}
