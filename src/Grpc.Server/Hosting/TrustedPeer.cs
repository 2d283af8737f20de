namespace ReplicatedSqlite.Grpc.Server;

/// <summary>A feature of connections whose client has shown a certificate that the port's own authority signed.</summary>
internal sealed class TrustedPeer
{
    public static readonly TrustedPeer Instance = new();
}
