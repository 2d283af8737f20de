using System.Net;

namespace ReplicatedSqlite.Node;

/// <summary>Where a node may listen.</summary>
internal static class ListenPolicy
{
    /// <summary>Why a node must not listen where its options say; <see langword="null"/> if it may.</summary>
    public static string? FaultOf(NodeOptions options) => IPAddress.IsLoopback(options.Address) || options.Tls is not null || options.AllowPlaintextBeyondLoopback
        ? null
        : $"The address {options.Address} is not loopback, and without TLS whoever reaches it could read along, tokens included. Give it certificates (tls.certificate, tls.key, " +
          "tls.node_authority), let it listen on 127.0.0.1, or, in tests and on networks that nobody else reaches, set allow_plaintext_beyond_loopback.";
}
