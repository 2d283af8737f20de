using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>One request's statements, as one atomic transaction, with the bounds it runs in.</summary>
/// <param name="statements">As they came. An empty text means the previous statement's SQL again.</param>
/// <param name="script">The single statement's SQL may hold several.</param>
public sealed class SqlRequest(IReadOnlyList<Statement> statements, bool script = false)
{
    /// <summary>What most gRPC clients accept as one message.</summary>
    public const int DefaultMaxResultBytes = 4 * 1024 * 1024;

    /// <summary>The statements in order.</summary>
    public IReadOnlyList<Statement> Statements { get; } = statements;

    /// <summary>Whether the single statement's SQL may hold several.</summary>
    public bool Script { get; } = script;

    /// <summary>Longest time from the first step to the end, waits for the writer excluded.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Most rows in one batch; 0: as many as fit the usual size of a message.</summary>
    public uint BatchRows { get; init; }

    /// <summary>Most bytes that collected results may have, as they are on the wire.</summary>
    public int MaxResultBytes { get; init; } = DefaultMaxResultBytes;

    /// <summary>For a write whose rows are sent as a stream later: the member's results are kept as parts, in batches.</summary>
    public bool AsParts { get; init; }

    /// <summary>It is a VACUUM and nothing else, as far as its text's first word tells. SQLite runs one outside of any transaction.</summary>
    public bool IsVacuum => RequestShape.IsVacuum(this);

    /// <summary>The caller gave up. Looked at while SQLite runs.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Told where the request stands; <see langword="null"/> when nobody looks.</summary>
    public RequestProgress? Progress { get; init; }

    /// <summary>Own SQL around the statements of a write, in the same transaction; <see langword="null"/> for none.</summary>
    public IMemberSteps? Steps { get; init; }
}
