using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol.V1;
using Value = ReplicatedSqlite.Protocol.V1.Value;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A row of the error table: SQL that fails, and how, the same on every copy and by every rpc.</summary>
internal sealed record SqlFailure(string Code, int SqliteCode, string Message, params string[] Sql)
{
    /// <summary>Of the statement that fails.</summary>
    public int Index { get; init; }

    /// <summary>What stands in the SQL where the error is said to be; null where none is said.</summary>
    public string? At { get; init; }

    /// <summary>The text is one script.</summary>
    public bool IsScript { get; init; }

    /// <summary>What comes with the last statement.</summary>
    public Value[] Parameters { get; init; } = [];

    public TimeSpan? Timeout { get; init; }

    /// <summary>Rpcs that answer it.</summary>
    public string[] By { get; init; } = ["Execute", "Stream", "Transact"];

    /// <summary>An interactive transaction does not survive it.</summary>
    public bool EndsTransaction { get; init; }

    /// <summary>Byte offset in the SQL as sent.</summary>
    public int Offset => At is null ? -1 : System.Text.Encoding.UTF8.GetByteCount(SqlAt[..SqlAt.IndexOf(At, StringComparison.Ordinal)]);

    private string SqlAt => Sql[IsScript ? 0 : Index];

    public ExecuteRequest Request(string session)
    {
        var request = new ExecuteRequest { Database = "d", Script = IsScript, Read = new() { Session = session } };
        request.Statements.AddRange(Sql.Select(sql => new Statement { Sql = sql }));
        if (request.Statements.Count > 0)
        {
            request.Statements[^1].Positional.AddRange(Parameters);
        }

        if (Timeout is { } timeout)
        {
            request.Timeout = Duration.FromTimeSpan(timeout);
        }

        return request;
    }

    public override string ToString() => $"{Code}: {string.Join(" | ", Sql)}";
}
