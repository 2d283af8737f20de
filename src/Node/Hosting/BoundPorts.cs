using System.Net;
using System.Net.Sockets;

namespace ReplicatedSqlite.Node;

/// <summary>The node's two ports, bound before anything else starts: so its addresses are known to all its parts, also when any free port will do.</summary>
internal sealed class BoundPorts : IDisposable
{
    private readonly Dictionary<int, Socket> _sockets;

    private BoundPorts(Socket grpc, Socket http)
    {
        HttpSocket = http;
        Grpc = (IPEndPoint)grpc.LocalEndPoint!;
        Http = (IPEndPoint)http.LocalEndPoint!;
        _sockets = new Dictionary<int, Socket> { [Grpc.Port] = grpc, [Http.Port] = http };
    }

    public IPEndPoint Grpc { get; }

    public IPEndPoint Http { get; }

    /// <summary>The HTTP port's socket, until it is taken.</summary>
    public Socket HttpSocket { get; }

    /// <exception cref="InvalidOperationException">A port is taken.</exception>
    public static BoundPorts Bind(IPAddress address, int grpcPort, int httpPort)
    {
        var grpc = Bind(address, grpcPort, "gRPC");
        try
        {
            return new BoundPorts(grpc, Bind(address, httpPort, "HTTP"));
        }
        catch
        {
            grpc.Dispose();
            throw;
        }
    }

    /// <summary>For Kestrel: the socket that is bound to an address already.</summary>
    public Socket Take(EndPoint address) => _sockets.Remove(((IPEndPoint)address).Port, out var socket)
        ? socket
        : throw new InvalidOperationException($"{address} is not one of the node's addresses.");

    /// <summary>Closes what was not taken.</summary>
    public void Dispose()
    {
        foreach (var socket in _sockets.Values)
        {
            socket.Dispose();
        }
    }

    private static Socket Bind(IPAddress address, int port, string what)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new InvalidOperationException($"The {what} port {port} cannot be used ({e.Message}). Stop what listens there, or choose another port.", e);
        }
    }
}
