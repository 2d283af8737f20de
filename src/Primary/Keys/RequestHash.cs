using System.Security.Cryptography;
using Google.Protobuf;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Primary;

/// <summary>SHA-256 of what a request asks for, whoever wrote it down: how it reads, how long it may take and what its database is called do not count.</summary>
internal static class RequestHash
{
    public static byte[] Of(ExecuteRequest request)
    {
        var canonical = new ExecuteRequest { Script = request.Script, Statements = { request.Statements.Select(Canonical) } };
        return Of((byte)'E', canonical);
    }

    public static byte[] Of(StreamRequest request)
    {
        var canonical = new StreamRequest { Script = request.Script, Statements = { request.Statements.Select(Canonical) } };
        return Of((byte)'S', canonical);
    }

    /// <summary>Of a whole interactive transaction, which is known by its key alone.</summary>
    public static byte[] OfTransaction { get; } = SHA256.HashData("T"u8);

    // A map is written in the order in which it was filled.
    private static Statement Canonical(Statement statement)
    {
        if (statement.Named.Count < 2)
        {
            return statement;
        }

        var sorted = new Statement { Sql = statement.Sql, Positional = { statement.Positional } };
        foreach (var (name, value) in statement.Named.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            sorted.Named.Add(name, value);
        }

        return sorted;
    }

    private static byte[] Of(byte kind, IMessage canonical)
    {
        var bytes = new byte[1 + canonical.CalculateSize()];
        bytes[0] = kind;
        canonical.WriteTo(bytes.AsSpan(1));
        return SHA256.HashData(bytes);
    }
}
