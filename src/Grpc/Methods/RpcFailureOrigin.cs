namespace ReplicatedSqlite.Grpc;

/// <summary>Where a failed call stopped: what a caller must know before it tries again.</summary>
public enum RpcFailureOrigin
{
    /// <summary>The server (or a proxy before it) answered with this status.</summary>
    Server,

    /// <summary>The request never reached a server's handler: no connection, or the stream was refused. Nothing was done.</summary>
    NotSent,

    /// <summary>The request was on its way or being handled; whether it took effect is unknown.</summary>
    InFlight,
}
