using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Kestrel settings for ports that serve gRPC.</summary>
public static class KestrelForGrpc
{
    /// <summary>HTTP/2 only: without TLS clients start with it by prior knowledge, which cannot share a port with HTTP/1.1. Each port counts its own connections.</summary>
    /// <param name="listen">The port.</param>
    /// <param name="limits">Of its connections.</param>
    /// <param name="tls">Unset: without encryption.</param>
    public static void UseGrpc(this ListenOptions listen, GrpcConnectionLimits? limits = null, ServerTls? tls = null)
    {
        ArgumentNullException.ThrowIfNull(listen);
        listen.Protocols = HttpProtocols.Http2;
        var maxConnections = (limits ?? new GrpcConnectionLimits()).MaxConnections;
        if (tls is not null)
        {
            listen.Use(next => new ConnectionLimit((int)Math.Min(int.MaxValue, 2L * maxConnections), next).OnConnectedAsync); // those that never end their handshake are bounded too
            listen.UseTls(tls); // before the other limit, which speaks HTTP/2 to those that it refuses
        }

        listen.Use(next => new ConnectionLimit(maxConnections, next).OnConnectedAsync);
    }

    /// <summary>Encrypts a port, if <paramref name="tls"/> is there.</summary>
    public static void UseTls(this ListenOptions listen, ServerTls? tls)
    {
        ArgumentNullException.ThrowIfNull(listen);
        tls?.ApplyTo(listen);
    }

    /// <summary>Limits for long streams, many calls on a connection and paths of 100 ms.</summary>
    public static void ConfigureForGrpc(this KestrelServerOptions server, GrpcConnectionLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(server);
        limits ??= new GrpcConnectionLimits();
        server.AddServerHeader = false;
        server.Limits.MinResponseDataRate = null; // a stream whose reader takes its time is not an attack; keep-alive pings find the dead
        server.Limits.MaxRequestHeadersTotalSize = limits.MaxHeaderBytes;
        var http2 = server.Limits.Http2;
        http2.MaxRequestHeaderFieldSize = limits.MaxHeaderBytes;
        http2.MaxStreamsPerConnection = limits.MaxStreamsPerConnection;
        http2.InitialStreamWindowSize = 2 * 1024 * 1024; // a window a round trip: 20 MB/s at 100 ms
        http2.InitialConnectionWindowSize = 16 * 1024 * 1024;
        http2.MaxFrameSize = 64 * 1024; // fewer frame headers on large messages
        http2.KeepAlivePingDelay = limits.KeepAlivePingDelay;
        http2.KeepAlivePingTimeout = limits.KeepAlivePingTimeout;
    }
}
