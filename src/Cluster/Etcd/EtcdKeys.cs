using System.Text;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>The keys of one cluster in etcd; docs/formats.md lists them.</summary>
internal sealed class EtcdKeys(string prefix)
{
    /// <summary>Before all of them.</summary>
    public byte[] Prefix { get; } = Encoding.UTF8.GetBytes(prefix);

    /// <summary>Which cluster it is, and which generation of it. There for ever once created.</summary>
    public byte[] Cluster { get; } = Encoding.UTF8.GetBytes(prefix + "cluster");

    /// <summary>Changed with every change of the catalogue.</summary>
    public byte[] Head { get; } = Encoding.UTF8.GetBytes(prefix + "head");

    /// <summary>As long as it is there nobody changes anything.</summary>
    public byte[] Hold { get; } = Encoding.UTF8.GetBytes(prefix + "hold");

    public byte[] Nodes { get; } = Encoding.UTF8.GetBytes(prefix + "nodes/");

    public byte[] Databases { get; } = Encoding.UTF8.GetBytes(prefix + "databases/");

    public byte[] Deletions { get; } = Encoding.UTF8.GetBytes(prefix + "deleted/");

    /// <summary>By what nodes know each other where connections are not encrypted. There for ever once created.</summary>
    public byte[] NodeKey { get; } = Encoding.UTF8.GetBytes(prefix + "node-key");

    public byte[] Tokens { get; } = Encoding.UTF8.GetBytes(prefix + "tokens/");

    /// <summary>When tokens were last used: not a part of the catalogue.</summary>
    public byte[] TokenUses { get; } = Encoding.UTF8.GetBytes(prefix + "token-uses/");

    public byte[] Token(string id) => Encoding.UTF8.GetBytes($"{prefix}tokens/{id}");

    public byte[] TokenUse(string id) => Encoding.UTF8.GetBytes($"{prefix}token-uses/{id}");

    public byte[] Node(string id) => Encoding.UTF8.GetBytes($"{prefix}nodes/{id}");

    public byte[] Name(string name) => Encoding.UTF8.GetBytes($"{prefix}names/{name}");

    public byte[] Database(DatabaseId id) => Encoding.UTF8.GetBytes($"{prefix}databases/{id}");

    public byte[] Deleted(DatabaseId id) => Encoding.UTF8.GetBytes($"{prefix}deleted/{id}");

    /// <summary>The first key behind all that begin with a prefix.</summary>
    public static byte[] EndOf(byte[] prefix) => [.. prefix.AsSpan(0, prefix.Length - 1), (byte)(prefix[^1] + 1)]; // '/' is not the last byte

    /// <summary>The first key after one.</summary>
    public static byte[] After(byte[] key) => [.. key, 0];

    /// <summary>The value of a name.</summary>
    public static byte[] EncodeId(DatabaseId id) => Encoding.ASCII.GetBytes(id.ToString());

    public static DatabaseId DecodeId(EtcdKeyValue name) => new(Guid.Parse(Encoding.ASCII.GetString(name.Bytes)));

    /// <summary>The id at the end of a key under <see cref="Databases"/> or <see cref="Deletions"/>.</summary>
    public static bool TryIdOf(byte[] key, byte[] under, out DatabaseId id)
    {
        id = default;
        if (!key.AsSpan().StartsWith(under) || !Guid.TryParse(Encoding.UTF8.GetString(key.AsSpan(under.Length)), out var guid))
        {
            return false;
        }

        id = new DatabaseId(guid);
        return true;
    }
}
