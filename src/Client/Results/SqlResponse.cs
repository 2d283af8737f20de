using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>The answer to one call: a result for each statement.</summary>
public sealed class SqlResponse
{
    internal SqlResponse(ExecuteResponse response, Bookmark bookmark, bool mayHaveWritten)
    {
        Bookmark = bookmark;
        Served = ServedBy.From(response.Served);
        Replayed = response.Replayed;
        Results = [.. response.Results.Select(result => new ResultSet(result, mayHaveWritten))];
    }

    /// <summary>One result a statement, in order.</summary>
    public IReadOnlyList<ResultSet> Results { get; }

    /// <summary>Of the copy that answered: at or after what was read or written.</summary>
    public Bookmark Bookmark { get; }

    /// <summary>Who answered.</summary>
    public ServedBy Served { get; }

    /// <summary>The answer of an earlier call under the same idempotency key.</summary>
    public bool Replayed { get; }

    /// <summary>The first statement's result.</summary>
    /// <exception cref="InvalidOperationException">There is none, as after a replay whose result was too large to be kept.</exception>
    public ResultSet First => Results.Count > 0 ? Results[0] : throw new InvalidOperationException("The answer holds no result.");

    /// <summary>Rows changed by all statements together.</summary>
    public long Changes => Results.Sum(result => result.Meta.Changes);

    /// <summary>The row id of the last insert, else 0.</summary>
    public long LastRowId => Results.LastOrDefault(result => result.Meta.LastRowId != 0)?.Meta.LastRowId ?? 0;
}
