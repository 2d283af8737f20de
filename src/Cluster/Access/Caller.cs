using System.Collections.Immutable;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cluster;

/// <summary>Who makes a call, and what it may do. Found out once, by the node that the client called; nodes tell each other.</summary>
public sealed record Caller
{
    /// <summary>Somebody without a token on a node's own machine, who may do everything.</summary>
    public static readonly Caller Anonymous = new() { Right = Right.Admin };

    private const string NoToken = "-";
    private const string AllDatabases = "*";

    /// <summary>The token's id; <see langword="null"/> for who has none.</summary>
    public string? TokenId { get; init; }

    /// <summary>The greatest right; each includes those before it.</summary>
    public required Right Right { get; init; }

    /// <summary>The databases that it sees; <see langword="null"/>: all, also those that do not exist yet.</summary>
    public ImmutableHashSet<DatabaseId>? Databases { get; init; }

    /// <summary>Whether it may write.</summary>
    public bool MayWrite => Right >= Right.Write;

    /// <summary>Whether a database exists for it.</summary>
    public bool Sees(DatabaseId database) => Databases is null || Databases.Contains(database);

    /// <summary>What a caller that may only read is told when its SQL writes.</summary>
    public RequestException WriteRefused() =>
        new(ErrorCodes.TokenLacksRight, $"{Describe()} may only read, and this writes. Nothing was done; use a token with the right to write.");

    /// <summary>For messages and logs; never the secret.</summary>
    public string Describe() => TokenId is null ? "A caller without a token" : $"The token {TokenId}";

    /// <summary>As it travels to another node, which is asked for one database.</summary>
    /// <param name="database">It; this node has found that the caller sees it.</param>
    public string ToHeader(DatabaseId database) => $"{Name(Right)} {TokenId ?? NoToken} {(Databases is null ? AllDatabases : database.ToString())}";

    /// <summary>As it travels to another node, which is asked for what concerns the whole cluster.</summary>
    /// <exception cref="InvalidOperationException">It is for some databases only.</exception>
    public string ToHeader() => Databases is null ? ToHeader(default) : throw new InvalidOperationException("A caller for some databases asks for nothing that concerns the whole cluster.");

    /// <summary>Reads <see cref="ToHeader(DatabaseId)"/>.</summary>
    /// <returns><see langword="null"/> if it is something else.</returns>
    public static Caller? FromHeader(string? text) => text?.Split(' ') is [var right, { Length: > 0 } token, var database]
        && Parse(right) is { } known && (database == AllDatabases || Guid.TryParse(database, out _))
            ? new()
            {
                Right = known,
                TokenId = token == NoToken ? null : token,
                Databases = database == AllDatabases ? null : [new DatabaseId(Guid.Parse(database))],
            }
            : null;

    private static string Name(Right right) => right switch
    {
        Right.Read => "read",
        Right.Write => "write",
        Right.Admin => "admin",
        _ => throw new InvalidOperationException($"{right} is no right."),
    };

    private static Right? Parse(string name) => name switch
    {
        "read" => Right.Read,
        "write" => Right.Write,
        "admin" => Right.Admin,
        _ => null,
    };
}
