using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;

namespace ReplicatedSqlite.Router;

/// <summary>Tells nodes from clients.</summary>
public sealed class NodeProof
{
    private readonly byte[]? _key;

    private NodeProof(string? key) => _key = key is null ? null : MemoryMarshal.AsBytes(key.AsSpan()).ToArray();

    /// <summary>A node shows a certificate that the node authority signed.</summary>
    public static NodeProof ByCertificate { get; } = new(null);

    /// <summary>Without encryption a node sends the key that only the control plane hands out.</summary>
    public static NodeProof ByKey(string key) => new(key);

    /// <summary>Whether a call comes from a node.</summary>
    public bool IsNode(ServerCallContext call) => _key is null
        ? call.HasTrustedCertificate
        : call.TryGetRequestHeader(NodeKey.Header, out var key) && CryptographicOperations.FixedTimeEquals(MemoryMarshal.AsBytes(key.AsSpan()), _key);

    /// <summary>What is missing, in words.</summary>
    internal string Wanted => _key is null ? "a client certificate that the cluster's node authority signed" : "the cluster's node key";
}
