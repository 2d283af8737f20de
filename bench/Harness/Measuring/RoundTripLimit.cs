using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>64 bytes to another process and back, over a bare socket and blocking calls: the least that anything asked over the network takes.</summary>
internal static class RoundTripLimit
{
    public const string Name = "round trip of 64 B on a bare socket";
    private const int Bytes = 64;

    /// <summary>Answers until the listener is closed.</summary>
    public static TcpListener Serve(IPAddress address)
    {
        var listener = new TcpListener(address, 0);
        listener.Start();
        var thread = new Thread(() => Accept(listener)) { IsBackground = true };
        thread.Start();
        return listener;
    }

    /// <summary>Measures it. Blocks its thread.</summary>
    public static LoadResult Measure(Network network, EndPoint server, TimeSpan duration)
    {
        using var socket = network.CreateSocket();
        socket.Connect(server);
        var bytes = new byte[Bytes];
        var latency = new LatencyHistogram();
        var started = Stopwatch.GetTimestamp();
        do
        {
            var before = Stopwatch.GetTimestamp();
            socket.Send(bytes);
            if (!TryFill(socket, bytes))
            {
                throw new BenchException("The process that answers round trips has ended.");
            }

            latency.Record((long)Stopwatch.GetElapsedTime(before).TotalNanoseconds);
        }
        while (Stopwatch.GetElapsedTime(started) < duration);

        return new LoadResult(latency.Count, Stopwatch.GetElapsedTime(started), latency, 0, 0, 0);
    }

    private static void Accept(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var socket = listener.AcceptSocket();
                var thread = new Thread(() => Answer(socket)) { IsBackground = true };
                thread.Start();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It was closed.
        }
    }

    private static void Answer(Socket socket)
    {
        using (socket)
        {
            socket.NoDelay = true;
            var bytes = new byte[Bytes];
            try
            {
                while (TryFill(socket, bytes))
                {
                    socket.Send(bytes);
                }
            }
            catch (SocketException)
            {
                // The other end is gone.
            }
        }
    }

    private static bool TryFill(Socket socket, byte[] bytes)
    {
        for (var read = 0; read < bytes.Length;)
        {
            var now = socket.Receive(bytes.AsSpan(read));
            if (now == 0)
            {
                return false;
            }

            read += now;
        }

        return true;
    }
}
