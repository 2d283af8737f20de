using System.Net;

namespace ReplicatedSqlite.Node;

/// <summary>Where a node may listen.</summary>
internal static class ListenPolicy
{
    /// <summary>Why a node must not listen where its options say; <see langword="null"/> if it may.</summary>
    public static string? FaultOf(NodeOptions options) => IPAddress.IsLoopback(options.Address)
        ? null
        : $"The address {options.Address} is not loopback. This version has neither tokens nor TLS, so it does not listen where others could reach it.";
}
