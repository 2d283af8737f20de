using System.Security.Cryptography;

namespace ReplicatedSqlite.Cluster;

/// <summary>By what nodes know each other where connections are not encrypted: 256 random bits that only the control plane hands out. With TLS a certificate takes its place.</summary>
public static class NodeKey
{
    /// <summary>Metadata that carries it, between nodes only.</summary>
    public const string Header = "x-rs-node-key";

    /// <summary>A new key, as 64 hex digits.</summary>
    public static string Create() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
}
